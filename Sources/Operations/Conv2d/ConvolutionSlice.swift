import Problems
import Tensors

/// A convolution of some of its input channels alone.
///
/// A convolution is a sum over input channels, so what a seed of x or of the weight does to the outputs is done by the
/// seeded channels: the others would add exact zeros.
struct ConvolutionSlices: SlicedOperation {
  private let problem: Conv2dProblem

  /// - Requires: one group of more than one input channel.
  init(_ problem: Conv2dProblem) { self.problem = problem }

  func response(
    of operand: String, _ elements: [Int], to direction: [Double], _ operands: [String: Tensor<Double>]
  ) throws(ProblemError) -> [Double]? {
    guard let slice = try ConvolutionSlice(problem, operand: operand, elements: elements) else { return nil }
    return try slice.response(to: direction, operands)
  }

  func response(
    of operand: String, _ elements: [Int], _ operands: [String: Tensor<Dual<Double>>]
  ) throws(ProblemError) -> [Dual<Double>]? {
    try ConvolutionSlice(problem, operand: operand, elements: elements)?.forward(operands)
  }
}

/// The channels that some elements of one operand lie in.
private struct ConvolutionSlice {
  private let operand: String
  private let elements: [Int]
  /// Ascending.
  private let channels: [Int]
  private let channelCount: Int
  private let part: Conv2dProblem

  /// - Returns: `nil` for the bias, and when every channel is seeded.
  init?(_ problem: Conv2dProblem, operand: String, elements: [Int]) throws(ProblemError) {
    guard operand == "x" || operand == "weight" else { return nil }
    let shape = operand == "x" ? problem.inputShape : problem.weightShape
    let plane = shape[2] * shape[3]
    channelCount = problem.inputChannels
    var isSeeded = [Bool](repeating: false, count: channelCount)
    for element in elements { isSeeded[element / plane % channelCount] = true }
    channels = isSeeded.indices.filter { isSeeded[$0] }
    guard !channels.isEmpty, channels.count < channelCount else { return nil }
    self.operand = operand
    self.elements = elements
    part = try Conv2dProblem(
      batch: problem.batch, inputChannels: channels.count, inputSize: problem.inputSize,
      outputChannels: problem.outputChannels, kernelSize: problem.kernelSize, stride: problem.stride,
      padding: problem.padding, dilation: problem.dilation)
  }

  /// The outputs as far as they come from these channels, flattened.
  func forward(_ operands: [String: Tensor<Dual<Double>>]) throws(ProblemError) -> [Dual<Double>]? {
    guard let x = operands["x"], let weight = operands["weight"] else { return nil }
    return try Conv2d(part).forward(slice(x, part.inputShape), weight: slice(weight, part.weightShape)).elements
  }

  /// J·u for u = `direction` at the elements, flattened.
  func response(to direction: [Double], _ operands: [String: Tensor<Double>]) throws(ProblemError) -> [Double]? {
    guard let x = operands["x"], let weight = operands["weight"] else { return nil }
    let image = operand == "x" ? restricted(direction, part.inputShape) : slice(x, part.inputShape)
    let kernel = operand == "x" ? slice(weight, part.weightShape) : restricted(direction, part.weightShape)
    return try Conv2d(part).forward(image, weight: kernel).elements
  }

  private func slice<Scalar: RealScalar>(_ tensor: Tensor<Scalar>, _ shape: Shape) -> Tensor<Scalar> {
    let plane = shape[2] * shape[3]
    var elements: [Scalar] = []
    elements.reserveCapacity(shape.count)
    for outer in 0..<shape[0] {
      for channel in channels {
        let start = (outer * channelCount + channel) * plane
        elements += tensor.elements[start..<start + plane]
      }
    }
    return Tensor(shape: shape, elements: elements)
  }

  private func restricted(_ direction: [Double], _ shape: Shape) -> Tensor<Double> {
    let plane = shape[2] * shape[3]
    var place = [Int](repeating: 0, count: channelCount)
    for (position, channel) in channels.enumerated() { place[channel] = position }
    var tensor = Tensor<Double>(zeros: shape)
    for element in elements {
      let (outer, inner) = element.quotientAndRemainder(dividingBy: plane * channelCount)
      tensor.elements[(outer * channels.count + place[inner / plane]) * plane + inner % plane] = direction[element]
    }
    return tensor
  }
}
