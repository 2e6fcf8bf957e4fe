import Problems
import Tensors

/// Two-dimensional convolution (cross-correlation), in groups of channels.
///
///     y[n,k,p,q] = b[k] + Σ c,r,s  w[k,c,r,s] · x[n, g·C/G + c, p·stride + r·dilation − pad, q·stride + s·dilation − pad]
///
/// with g = ⌊k / (K/G)⌋, and x = 0 in the padding.
///
/// - Shapes: `x` (N, C, H, W); `weight` (K, C/G, R, S); `bias` (K); `y` (N, K, P, Q).
/// - Throws: `ProblemError` when a tensor does not have the problem's shape; nothing is computed then.
/// - Source: Dumoulin and Visin 2016; argument names after `torch.nn.Conv2d`.
public struct Conv2d: Sendable {
  public let problem: Conv2dProblem
  /// How many threads share the work; the results are the same bits for any number.
  public let threads: Int

  public init(_ problem: Conv2dProblem, threads: Int) {
    self.problem = problem
    self.threads = threads
  }

  private var channelsPerGroup: Int { problem.inputChannels / problem.groups }
  private var kernelsPerGroup: Int { problem.outputChannels / problem.groups }

  /// - Returns: `y`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, weight: Tensor<Scalar>, bias: Tensor<Scalar>? = nil
  ) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    try weight.require(problem.weightShape, as: "parameters/weight")
    try bias.require(Shape(problem.outputChannels), when: problem.hasBias, as: "parameters/bias")
    let layout = ConvolutionLayout(problem)
    let pieces = ConvolutionLayout.pieces(of: layout.runs(rowByRow: false))
    let padded = layout.padded(x)
    let (length, taps, tapCount) = (layout.channelLength, layout.taps, layout.taps.count)
    let (channels, kernels) = (channelsPerGroup, kernelsPerGroup)
    let planes = concurrently(problem.outputChannels, threads: threads) { range in
      var elements = [Scalar](repeating: 0, count: range.count * length)
      if let bias {
        for k in range {
          for i in (k - range.lowerBound) * length..<(k - range.lowerBound + 1) * length {
            elements[i] = bias.elements[k]
          }
        }
      }
      var y = elements.mutableSpan
      let (x, w) = (padded.span, weight.elements.span)
      for piece in pieces {
        for k in range {
          let output = (k - range.lowerBound) * length + piece.lowerBound
          for c in 0..<channels {
            for tap in 0..<tapCount {
              let input = layout.start(channel: k / kernels * channels + c, phase: taps[tap].phase)
              addMultiple(
                w[(k * channels + c) * tapCount + tap], x, at: input + taps[tap].shift + piece.lowerBound, to: &y,
                at: output, count: piece.count)
            }
          }
        }
      }
      return range.flatMap { layout.gathered(elements, at: ($0 - range.lowerBound) * length) }
    }
    return Tensor(
      shape: problem.outputShape,
      elements: imagesFirst(planes, images: problem.batch, channels: problem.outputChannels))
  }

  /// The gradients of Σ y·dOutput by `x`, `weight` and (where there is one) `bias`.
  public func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>, weight: Tensor<Scalar>
  ) throws(ProblemError) -> (dInput: Tensor<Scalar>, dWeight: Tensor<Scalar>, dBias: Tensor<Scalar>?) {
    try x.require(problem.inputShape, as: "inputs/x")
    let dInput = try backwardInput(dOutput, weight: weight)
    let dWeight = try backwardWeight(dOutput, x: x)
    return (dInput, dWeight, problem.hasBias ? try backwardBias(dOutput) : nil)
  }

  /// dInput[n,c,h,w] = Σ weight[k,c,r,s] · dOutput[n,k,p,q] over all (k, r, s, p, q) that met x[n,c,h,w].
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backwardInput<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, weight: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    try weight.require(problem.weightShape, as: "parameters/weight")
    let layout = ConvolutionLayout(problem)
    let runs = layout.runs(rowByRow: !weight.elements.allSatisfy(\.isFinite))
    let pieces = ConvolutionLayout.pieces(of: runs)
    let spread = layout.spread(dOutput)
    let (length, taps, tapCount) = (layout.channelLength, layout.taps, layout.taps.count)
    let (channels, kernels) = (channelsPerGroup, kernelsPerGroup)
    let planes = concurrently(problem.inputChannels, threads: threads) { range in
      var elements = [Scalar](repeating: 0, count: range.count * layout.inputLength)
      var dx = elements.mutableSpan
      let (dy, w) = (spread.span, weight.elements.span)
      for piece in pieces {
        for channel in range {
          let (group, c) = channel.quotientAndRemainder(dividingBy: channels)
          let input = (channel - range.lowerBound) * layout.inputLength + piece.lowerBound
          for k in group * kernels..<(group + 1) * kernels {
            for tap in 0..<tapCount {
              addMultiple(
                w[(k * channels + c) * tapCount + tap], dy, at: k * length + piece.lowerBound, to: &dx,
                at: input + taps[tap].phase * length + taps[tap].shift, count: piece.count)
            }
          }
        }
      }
      return range.flatMap { layout.unpadded(elements, at: ($0 - range.lowerBound) * layout.inputLength) }
    }
    return Tensor(
      shape: problem.inputShape,
      elements: imagesFirst(planes, images: problem.batch, channels: problem.inputChannels))
  }

  /// dWeight[k,c,r,s] = Σ n,p,q  dOutput[n,k,p,q] · x[n, …] at the input position that the tap (r, s) sees from (p, q).
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backwardWeight<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    try x.require(problem.inputShape, as: "inputs/x")
    let layout = ConvolutionLayout(problem)
    let runs = layout.runs(rowByRow: !x.elements.allSatisfy(\.isFinite))
    let (padded, spread) = (layout.padded(x), layout.spread(dOutput))
    let (length, taps) = (layout.channelLength, layout.taps)
    let (channels, kernels) = (channelsPerGroup, kernelsPerGroup)
    let elements = concurrently(problem.outputChannels * channels, threads: threads) { range in
      var elements: [Scalar] = []
      elements.reserveCapacity(range.count * taps.count)
      let (dy, x) = (spread.span, padded.span)
      for kernel in range {
        let (k, c) = kernel.quotientAndRemainder(dividingBy: channels)
        for tap in taps {
          let input = layout.start(channel: k / kernels * channels + c, phase: tap.phase) + tap.shift
          var sum: Scalar = 0
          for run in runs {
            sum += dot(dy, at: k * length + run.lowerBound, x, at: input + run.lowerBound, count: run.count)
          }
          elements.append(sum)
        }
      }
      return elements
    }
    return Tensor(shape: problem.weightShape, elements: elements)
  }

  /// dBias[k] = Σ n,p,q  dOutput[n,k,p,q].
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backwardBias<Scalar: RealScalar>(_ dOutput: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    var dBias = Tensor<Scalar>(zeros: Shape(problem.outputChannels))
    let plane = problem.outputSize.height * problem.outputSize.width
    let dy = dOutput.elements.span
    for n in 0..<problem.batch {
      for k in 0..<problem.outputChannels {
        let start = (n * problem.outputChannels + k) * plane
        var sum: Scalar = 0
        for i in start..<start + plane { sum += dy[i] }
        dBias.elements[k] += sum
      }
    }
    return dBias
  }
}

extension Conv2d: Operation {
  public init(_ problem: Conv2dProblem) { self.init(problem, threads: 1) }

  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    if let found = try given.oracle?.found(problem, given) { return found }
    let layer = Conv2d(problem, threads: given.threads)
    let (x, weight) = (try given.operand("x"), try given.operand("weight"))
    let dOutput = try given.cotangent(shape: problem.outputShape)
    var found = Found(y: given.wantsOutputs ? try layer.forward(x, weight: weight, bias: given.operands["bias"]) : nil)
    guard let dOutput else { return found }
    if given.wantsGradient("x") { found.gradients["x"] = try layer.backwardInput(dOutput, weight: weight) }
    if given.wantsGradient("weight") { found.gradients["weight"] = try layer.backwardWeight(dOutput, x: x) }
    if problem.hasBias, given.wantsGradient("bias") { found.gradients["bias"] = try layer.backwardBias(dOutput) }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["bias", "weight", "x"].filter(hasOperand)) }
  public var branches: Applicable<any Branching> { .none(because: "it is linear") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
