import Tensors

/// Channels of a convolution: all of one group, of several, or one for each (depthwise).
public struct GroupedChannels: Sendable {
  private enum Form: String, CaseIterable, CustomStringConvertible {
    case whole, grouped, depthwise

    var description: String { rawValue }
  }

  public let inputs: Int
  public let outputs: Int
  public let groups: Int

  public init(_ choices: inout ProblemChoices) {
    switch choices.option("grouping", Form.allCases, weights: [4, 1, 1]) {
    case .whole:
      groups = 1
      (inputs, outputs) = (choices.size("C", .channels), choices.size("K", .channels))
    case .grouped:
      groups = choices.size("groups", SizeDomain(2...32, typical: [2, 32]))
      inputs = groups * choices.size("C/groups", SizeDomain(1...33, typical: [4, 8]))
      outputs = groups * choices.size("K/groups", SizeDomain(1...33, typical: [4, 8]))
    case .depthwise:
      groups = choices.size("C", .channels)
      inputs = groups
      outputs = groups * choices.option("multiplier", [1, 2], weights: [3, 1])
    }
  }
}

/// The windows of a pooling, and images that hold at least one.
public struct DrawnWindow: Sendable {
  public let inputShape: Shape
  public let kernelSize: Pair
  public let stride: Pair
  public let padding: Pair
  public let dilation: Pair

  /// - Parameters:
  ///   - choices: what it is drawn from.
  ///   - dilations: those that the pooling takes.
  public init(_ choices: inout ProblemChoices, dilations: [Int] = [1]) {
    kernelSize = choices.pair("kernel", [1, 2, 3, 4, 5, 7], weights: [1, 4, 4, 1, 1, 1])
    stride = choices.pair("stride", [1, 2, 3, 4], weights: [3, 4, 1, 1])
    dilation = dilations.count > 1 ? choices.pair("dilation", dilations) : Pair(dilations.first ?? 1)
    // PyTorch's rule: half of the kernel at most.
    let pads = choices.pair("pad", [0, 1, 2, 3], weights: [3, 3, 1, 1])
    let padding = Pair(min(pads.height, kernelSize.height / 2), min(pads.width, kernelSize.width / 2))
    self.padding = padding
    let (n, c) = (choices.size("N", .batch), choices.size("C", .channels))
    let plane = choices.plane(
      atLeast: Pair(
        max(1, dilation.height * (kernelSize.height - 1) + 1 - 2 * padding.height),
        max(1, dilation.width * (kernelSize.width - 1) + 1 - 2 * padding.width)))
    inputShape = Shape(n, c, plane.height, plane.width)
  }
}

extension ProblemChoices {
  /// Images of so many channels, at least two values each, so that a batch norm has a variance.
  public mutating func images(of channels: Int) -> Shape {
    let n = size("N", .batch, atLeast: 1)
    let plane = plane(atLeast: Pair(1, n == 1 ? 2 : 1))
    return Shape(n, channels, plane.height, plane.width)
  }

  /// Whether a normalisation has its γ and its β.
  public mutating func affine() -> (weight: Bool, bias: Bool) {
    switch option("affine", ["both", "neither", "weight", "bias"], weights: [5, 1, 1, 1]) {
    case "neither": (false, false)
    case "weight": (true, false)
    case "bias": (false, true)
    default: (true, true)
    }
  }

  /// A parameter of an optimiser, and its gradients of some steps.
  public mutating func stepOperands() -> Operands {
    let shape = shape(ranks: [1, 2, 4, 3, 0], weights: [5, 2, 2, 1, 1])
    let steps = size("steps", SizeDomain(1...40, typical: [1, 2, 10, 20]))
    return Operands(
      inputs: ["gradients": TensorType(Shape([steps] + shape.dimensions))], parameters: ["p": TensorType(shape)])
  }
}

extension AdamFamilyProblem {
  /// Drawn.
  public init(_ choices: inout ProblemChoices) throws(ProblemError) {
    let betas = choices.option("betas", [[0.9, 0.999], [0.5, 0.9], [0, 0]], weights: [4, 1, 1])
    let hasMaximum = choices.flag("amsgrad")
    let hasMoments = choices.flag("moments")
    let attributes = Attributes([
      "lr": .real(choices.option("lr", [1e-3, 0.1])), "betas": .reals(betas),
      "eps": .real(choices.option("eps", [1e-8, 1e-3])),
      "weight_decay": .real(choices.option("decay", [0, 0.01, 0.5])), "amsgrad": .boolean(hasMaximum),
      "first_step": .integer(hasMoments ? choices.option("from", [1, 2, 1_000]) : 1),
    ])
    var operands = choices.stepOperands()
    if hasMoments {
      for name in Self.moments(hasMaximum) { operands.buffers[name] = operands.parameters["p"] }
    }
    try self.init(attributes: attributes, operands: operands)
  }
}
