import Problems
import Tensors

/// Batch normalisation over N, H and W of an NCHW tensor.
///
///     y[n,c,h,w] = γ[c] · (x[n,c,h,w] − μ[c]) / √(σ²[c] + ε) + β[c]
///
/// - Shapes: `x`, `y` (N, C, H, W); γ = `weight`, β = `bias` and the running statistics (C).
/// - Training: μ and the *biased* σ² of the batch normalise; the running variance takes the *unbiased* one.
/// - Evaluation: the running statistics normalise and stay as they are; without any, the batch's normalise.
/// - Throws: `ProblemError` when a tensor does not have the problem's shape; nothing is computed then.
/// - Source: Ioffe and Szegedy 2015, algorithm 1; argument names after `torch.nn.BatchNorm2d`.
public struct BatchNorm2d: Sendable {
  public let problem: BatchNorm2dProblem
  public init(_ problem: BatchNorm2dProblem) { self.problem = problem }

  /// What the layer remembers between batches.
  public struct Buffers<Scalar: RealScalar>: Sendable {
    public var runningMean: Tensor<Scalar>
    public var runningVariance: Tensor<Scalar>
    /// `num_batches_tracked`; `nil` where nobody counts.
    public var batchesTracked: Int64?

    public init(runningMean: Tensor<Scalar>, runningVariance: Tensor<Scalar>, batchesTracked: Int64? = nil) {
      self.runningMean = runningMean
      self.runningVariance = runningVariance
      self.batchesTracked = batchesTracked
    }
  }

  private var channels: Int { problem.channels }
  private var plane: Int { problem.inputShape[2] * problem.inputShape[3] }
  /// N·H·W.
  private var valuesPerChannel: Int { layout.size }
  /// Each channel of the batch is normalised on its own.
  var layout: NormalisedSlices {
    NormalisedSlices(
      runCount: problem.inputShape[0], count: channels, runLength: plane, parameterCount: channels,
      parametersPerSlice: 1)
  }

  /// - Returns: `y`, and the buffers afterwards: those given, unless the problem is in training.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, weight: Tensor<Scalar>? = nil, bias: Tensor<Scalar>? = nil, buffers: Buffers<Scalar>? = nil
  ) throws(ProblemError) -> (y: Tensor<Scalar>, buffersAfter: Buffers<Scalar>?) {
    try bias.require(Shape(channels), when: problem.hasBias, as: "parameters/bias")
    try require(x, weight: weight, buffers: buffers)
    let moments = moments(of: x, buffers: buffers)
    var y = x
    var span = y.elements.mutableSpan
    for n in 0..<problem.inputShape[0] {
      for c in 0..<channels {
        let (mean, inverse) = (moments[c].mean, moments[c].inverseDeviation)
        let (gamma, beta) = (weight?.elements[c] ?? 1, bias?.elements[c] ?? 0)
        let start = (n * channels + c) * plane
        for i in start..<start + plane { span[i] = (span[i] - mean) * inverse * gamma + beta }
      }
    }
    return (y, updated(buffers, by: moments))
  }

  /// The gradients of Σ y·dOutput by `x`, `weight` and `bias`.
  ///
  ///     dγ = Σ dy·x̂,   dβ = Σ dy,   x̂ = (x − μ)/√(σ² + ε)
  ///     dx = γ/√(σ² + ε) · (dy − dβ/m − x̂·dγ/m)   where μ and σ² are those of the batch, m = N·H·W
  ///     dx = γ/√(σ² + ε) · dy                      where they are constants
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>, weight: Tensor<Scalar>? = nil, buffers: Buffers<Scalar>? = nil
  ) throws(ProblemError) -> (dInput: Tensor<Scalar>, dWeight: Tensor<Scalar>?, dBias: Tensor<Scalar>?) {
    try dOutput.require(problem.inputShape, as: "upstream/y")
    try require(x, weight: weight, buffers: buffers)
    let moments = moments(of: x, buffers: buffers)
    let batch = problem.inputShape[0]
    let count = Scalar(valuesPerChannel)
    var dWeight = Tensor<Scalar>(zeros: Shape(channels))
    var dBias = Tensor<Scalar>(zeros: Shape(channels))
    var dInput = Tensor<Scalar>(zeros: problem.inputShape)
    let (dy, x) = (dOutput.elements.span, x.elements.span)
    var dx = dInput.elements.mutableSpan
    for c in 0..<channels {
      let (mean, inverse) = (moments[c].mean, moments[c].inverseDeviation)
      var (sumDy, sumDyX): (Scalar, Scalar) = (0, 0)
      for n in 0..<batch {
        let start = (n * channels + c) * plane
        for i in start..<start + plane {
          sumDy += dy[i]
          sumDyX += dy[i] * ((x[i] - mean) * inverse)
        }
      }
      dWeight.elements[c] = sumDyX
      dBias.elements[c] = sumDy
      let scale = (weight?.elements[c] ?? 1) * inverse
      for n in 0..<batch {
        let start = (n * channels + c) * plane
        for i in start..<start + plane {
          if problem.usesBatchStatistics {
            let normalised = (x[i] - mean) * inverse
            dx[i] = scale * (dy[i] - sumDy / count - normalised * (sumDyX / count))
          } else {
            dx[i] = scale * dy[i]
          }
        }
      }
    }
    return (dInput, problem.hasWeight ? dWeight : nil, problem.hasBias ? dBias : nil)
  }

  private func require<Scalar>(
    _ x: Tensor<Scalar>, weight: Tensor<Scalar>?, buffers: Buffers<Scalar>?
  ) throws(ProblemError) {
    try x.require(problem.inputShape, as: "inputs/x")
    try weight.require(Shape(channels), when: problem.hasWeight, as: "parameters/weight")
    let tracks = problem.tracksRunningStatistics
    try (buffers?.runningMean).require(Shape(channels), when: tracks, as: "buffers/running_mean")
    try (buffers?.runningVariance).require(Shape(channels), when: tracks, as: "buffers/running_var")
  }

  /// What normalises each channel.
  private func moments<Scalar>(of x: Tensor<Scalar>, buffers: Buffers<Scalar>?) -> [Moments<Scalar>] {
    let eps = Scalar(problem.eps)
    if !problem.usesBatchStatistics, let buffers {
      return zip(buffers.runningMean.elements, buffers.runningVariance.elements).map {
        Moments(mean: $0, variance: $1, eps: eps)
      }
    }
    let span = x.elements.span
    var moments: [Moments<Scalar>] = []
    for c in 0..<channels { moments.append(Moments(of: span, slice: c, in: layout, eps: eps)) }
    return moments
  }

  /// running = (1 − factor)·running + factor·batch, where the factor is the momentum, or 1/batches for a cumulative
  /// average (0 when nobody counts the batches, as in PyTorch).
  private func updated<Scalar>(_ buffers: Buffers<Scalar>?, by moments: [Moments<Scalar>]) -> Buffers<Scalar>? {
    guard problem.updatesRunningStatistics, var buffers else { return buffers }
    buffers.batchesTracked = buffers.batchesTracked.map { $0 &+ 1 }
    let factor = problem.momentum ?? buffers.batchesTracked.map { 1 / Double($0) } ?? 0
    let (new, old) = (Scalar(factor), Scalar(1 - factor))
    let unbiased = Scalar(valuesPerChannel) / Scalar(valuesPerChannel - 1)
    for c in 0..<channels {
      buffers.runningMean.elements[c] = old * buffers.runningMean.elements[c] + new * moments[c].mean
      buffers.runningVariance.elements[c] =
        old * buffers.runningVariance.elements[c] + new * (moments[c].variance * unbiased)
    }
    return buffers
  }
}

extension BatchNorm2d: Operation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let (x, weight) = (try given.operand("x"), given.operands["weight"])
    let buffers = try Buffers(given)
    let dOutput = try given.cotangent(shape: problem.inputShape)
    var found = Found<Scalar>()
    if given.wantsOutputs {
      let (y, after) = try forward(x, weight: weight, bias: given.operands["bias"], buffers: buffers)
      found.outputs["y"] = y
      after?.put(into: &found, as: given)
    }
    if let dOutput {
      let (dInput, dWeight, dBias) = try backward(dOutput, x: x, weight: weight, buffers: buffers)
      found.gradients["x"] = dInput
      found.gradients["weight"] = dWeight
      found.gradients["bias"] = dBias
    }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["bias", "weight", "x"].filter(hasOperand)) }
  public var branches: Applicable<any Branching> { .none(because: "it is smooth") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}

extension BatchNorm2d.Buffers {
  /// Those of a layer's operands; `nil` where there are none.
  /// - Throws: ``ProblemError`` when the counter is not a single number.
  init?(_ given: Given<Scalar>, prefix: String = "") throws(ProblemError) {
    guard let mean = given.operands[prefix + "running_mean"], let variance = given.operands[prefix + "running_var"]
    else { return nil }
    self.init(runningMean: mean, runningVariance: variance)
    guard let counter = given.integers[prefix + "num_batches_tracked"] else { return }
    guard counter.count == 1 else {
      throw ProblemError(
        .shapeMismatch, "buffers/\(prefix)num_batches_tracked", expected: "one number", found: "shape \(counter.shape)")
    }
    batchesTracked = counter.elements[0]
  }

  /// Those that a layer leaves; `nil` where it has none.
  init?(after found: Found<Scalar>) {
    guard let mean = found.buffersAfter["running_mean"], let variance = found.buffersAfter["running_var"] else {
      return nil
    }
    self.init(
      runningMean: mean, runningVariance: variance,
      batchesTracked: found.countersAfter["num_batches_tracked"]?.elements.first)
  }

  func give(to given: inout Given<Scalar>) {
    given.operands["running_mean"] = runningMean
    given.operands["running_var"] = runningVariance
    given.integers["num_batches_tracked"] = batchesTracked.map { Tensor(shape: [], elements: [$0]) }
  }

  /// - Parameter given: a scalar may be stored as one element; it goes back as it came.
  func put(into found: inout Found<Scalar>, as given: Given<Scalar>, prefix: String = "") {
    found.buffersAfter[prefix + "running_mean"] = runningMean
    found.buffersAfter[prefix + "running_var"] = runningVariance
    let counter = prefix + "num_batches_tracked"
    found.countersAfter[counter] = batchesTracked.map {
      Tensor(shape: given.integers[counter]?.shape ?? [], elements: [$0])
    }
  }
}
