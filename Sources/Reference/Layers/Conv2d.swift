import Problems
import Tensors

/// Two-dimensional convolution (cross-correlation), in groups of channels.
///
///     y[n,k,p,q] = b[k] + Σ c,r,s  w[k,c,r,s] · x[n, g·C/G + c, p·stride + r·dilation − pad, q·stride + s·dilation − pad]
///
/// with g = ⌊k / (K/G)⌋, and nothing added where the input position lies in the padding.
///
/// - Shapes: `x` (N, C, H, W); `weight` (K, C/G, R, S); `bias` (K); `y` (N, K, P, Q).
/// - Throws: ``ProblemError`` when a tensor has not the problem's shape; nothing is computed then.
/// - Source: Dumoulin and Visin 2016; argument names after `torch.nn.Conv2d`.
public struct Conv2d: Sendable {
  public let problem: Conv2dProblem
  /// How many threads share the work; the results are the same bits for any number.
  public let threads: Int

  public init(_ problem: Conv2dProblem, threads: Int = 1) {
    self.problem = problem
    self.threads = threads
  }

  private var channelsPerGroup: Int { problem.inputChannels / problem.groups }
  private var kernelsPerGroup: Int { problem.outputChannels / problem.groups }
  private var inputPlane: Int { problem.inputSize.height * problem.inputSize.width }
  private var outputPlane: Int { problem.outputSize.height * problem.outputSize.width }
  /// R·S.
  private var tapCount: Int { problem.kernelSize.height * problem.kernelSize.width }

  /// - Returns: `y`.
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, weight: Tensor<Scalar>, bias: Tensor<Scalar>? = nil
  ) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    try weight.require(problem.weightShape, as: "parameters/weight")
    try bias.require(Shape(problem.outputChannels), when: problem.hasBias, as: "parameters/bias")
    let taps = ConvolutionRun.taps(of: problem)
    let elements = concurrently(problem.batch * problem.outputChannels, threads: threads) { planes in
      outputs(planes, x, weight, bias, taps)
    }
    return Tensor(shape: problem.outputShape, elements: elements)
  }

  /// The output planes n·K + k of a range.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  private func outputs<Scalar: RealScalar>(
    _ planes: Range<Int>, _ x: Tensor<Scalar>, _ weight: Tensor<Scalar>, _ bias: Tensor<Scalar>?,
    _ taps: [[ConvolutionRun]]
  ) -> [Scalar] {
    let step = problem.stride.width
    var elements = [Scalar](repeating: 0, count: planes.count * outputPlane)
    var y = elements.mutableSpan
    let (x, w) = (x.elements.span, weight.elements.span)
    for plane in planes {
      let (n, k) = plane.quotientAndRemainder(dividingBy: problem.outputChannels)
      let yStart = (plane - planes.lowerBound) * outputPlane
      if let bias { for i in 0..<outputPlane { y[yStart + i] = bias.elements[k] } }
      for c in 0..<channelsPerGroup {
        let channel = k / kernelsPerGroup * channelsPerGroup + c
        let xStart = (n * problem.inputChannels + channel) * inputPlane
        for tap in 0..<tapCount {
          let weight = w[(k * channelsPerGroup + c) * tapCount + tap]
          for run in taps[tap] {
            let (input, output) = (xStart + run.input, yStart + run.output)
            if step == 1 {
              addMultiple(weight, x, at: input, to: &y, at: output, count: run.count)
            } else {
              for i in 0..<run.count { y[output + i] += weight * x[input + i * step] }
            }
          }
        }
      }
    }
    return elements
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
  public func backwardInput<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, weight: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    try weight.require(problem.weightShape, as: "parameters/weight")
    let taps = ConvolutionRun.taps(of: problem)
    let elements = concurrently(problem.batch * problem.inputChannels, threads: threads) { planes in
      inputGradients(planes, dOutput, weight, taps)
    }
    return Tensor(shape: problem.inputShape, elements: elements)
  }

  /// The planes n·C + c of a range.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  private func inputGradients<Scalar: RealScalar>(
    _ planes: Range<Int>, _ dOutput: Tensor<Scalar>, _ weight: Tensor<Scalar>, _ taps: [[ConvolutionRun]]
  ) -> [Scalar] {
    let step = problem.stride.width
    var elements = [Scalar](repeating: 0, count: planes.count * inputPlane)
    var dx = elements.mutableSpan
    let (dy, w) = (dOutput.elements.span, weight.elements.span)
    for plane in planes {
      let (n, channel) = plane.quotientAndRemainder(dividingBy: problem.inputChannels)
      let (group, c) = channel.quotientAndRemainder(dividingBy: channelsPerGroup)
      let xStart = (plane - planes.lowerBound) * inputPlane
      for k in group * kernelsPerGroup..<(group + 1) * kernelsPerGroup {
        let yStart = (n * problem.outputChannels + k) * outputPlane
        for tap in 0..<tapCount {
          let weight = w[(k * channelsPerGroup + c) * tapCount + tap]
          for run in taps[tap] {
            let (input, output) = (xStart + run.input, yStart + run.output)
            if step == 1 {
              addMultiple(weight, dy, at: output, to: &dx, at: input, count: run.count)
            } else {
              for i in 0..<run.count { dx[input + i * step] += weight * dy[output + i] }
            }
          }
        }
      }
    }
    return elements
  }

  /// dWeight[k,c,r,s] = Σ n,p,q  dOutput[n,k,p,q] · x[n, …] at the input position that the tap (r, s) sees from (p, q).
  public func backwardWeight<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    try x.require(problem.inputShape, as: "inputs/x")
    let taps = ConvolutionRun.taps(of: problem)
    let elements = concurrently(problem.outputChannels * channelsPerGroup, threads: threads) { kernels in
      weightGradients(kernels, dOutput, x, taps)
    }
    return Tensor(shape: problem.weightShape, elements: elements)
  }

  /// The R×S kernels k·C/G + c of a range.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  private func weightGradients<Scalar: RealScalar>(
    _ kernels: Range<Int>, _ dOutput: Tensor<Scalar>, _ x: Tensor<Scalar>, _ taps: [[ConvolutionRun]]
  ) -> [Scalar] {
    let step = problem.stride.width
    var elements: [Scalar] = []
    elements.reserveCapacity(kernels.count * tapCount)
    let (dy, x) = (dOutput.elements.span, x.elements.span)
    for kernel in kernels {
      let (k, c) = kernel.quotientAndRemainder(dividingBy: channelsPerGroup)
      let channel = k / kernelsPerGroup * channelsPerGroup + c
      for tap in 0..<tapCount {
        var sum: Scalar = 0
        for n in 0..<problem.batch {
          let yStart = (n * problem.outputChannels + k) * outputPlane
          let xStart = (n * problem.inputChannels + channel) * inputPlane
          for run in taps[tap] {
            let (input, output) = (xStart + run.input, yStart + run.output)
            if step == 1 {
              sum += dot(dy, at: output, x, at: input, count: run.count)
            } else {
              for i in 0..<run.count { sum += dy[output + i] * x[input + i * step] }
            }
          }
        }
        elements.append(sum)
      }
    }
    return elements
  }

  /// dBias[k] = Σ n,p,q  dOutput[n,k,p,q].
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backwardBias<Scalar: RealScalar>(_ dOutput: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    var dBias = Tensor<Scalar>(zeros: Shape(problem.outputChannels))
    let dy = dOutput.elements.span
    for n in 0..<problem.batch {
      for k in 0..<problem.outputChannels {
        let start = (n * problem.outputChannels + k) * outputPlane
        var sum: Scalar = 0
        for i in start..<start + outputPlane { sum += dy[i] }
        dBias.elements[k] += sum
      }
    }
    return dBias
  }
}
