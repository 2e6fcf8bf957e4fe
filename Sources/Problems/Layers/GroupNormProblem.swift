import Tensors

/// Normalisation of N×C×… over C/G channels and all later axes, for each image and group.
public struct GroupNormProblem: AffineNormProblem {
  public let inputShape: Shape
  /// G; groups are of neighbouring channels.
  public let numGroups: Int
  public let eps: Double
  public let affine: AffineParameters

  /// - Throws: ``ProblemError`` when the input has no axis of channels, or the groups do not divide them.
  public init(
    inputShape: Shape, numGroups: Int, eps: Double = 1e-5, hasWeight: Bool = true, hasBias: Bool = true
  ) throws(ProblemError) {
    guard inputShape.rank >= 2, inputShape[1] >= 1 else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "rank 2 or more with at least one channel", found: "shape \(inputShape)")
    }
    guard numGroups >= 1, inputShape[1] % numGroups == 0 else {
      throw ProblemError(
        .invalidArgument, "num_groups", expected: "a number ≥ 1 that divides the \(inputShape[1]) channels",
        found: "\(numGroups)")
    }
    guard eps >= 0, eps.isFinite else {
      throw ProblemError(.invalidArgument, "eps", expected: "a finite number ≥ 0", found: "\(eps)")
    }
    self.inputShape = inputShape
    self.numGroups = numGroups
    self.eps = eps
    affine = AffineParameters(shape: Shape(inputShape[1]), hasWeight: hasWeight, hasBias: hasBias)
  }

  public var channels: Int { inputShape[1] }
  /// C/G.
  public var channelsPerGroup: Int { channels / numGroups }
}

extension GroupNormProblem {
  public static let operation = "group_norm"
  public static let attributeTokens: [AttributeToken] = [
    .integer("groups", "num_groups"), .real("eps", "eps", omitting: .real(1e-5)),
  ]

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let x = try operands.input()
    let affine = try x.rank < 2 ? nil : AffineParameters(in: operands, shape: Shape(x[1]))
    try self.init(
      inputShape: x, numGroups: attributes.integer("num_groups", default: nil),
      eps: attributes.real("eps", default: 1e-5), hasWeight: affine?.hasWeight ?? false,
      hasBias: affine?.hasBias ?? false)
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let x = try text.anyShape()
    let channels = x.rank < 2 ? 0 : x[1]
    return Operands(
      inputs: ["x": TensorType(x)], parameters: AffineParameters(from: &text, shape: Shape(channels)).parameters)
  }

  public var attributes: Attributes { Attributes(["num_groups": .integer(numGroups), "eps": .real(eps)]) }
  public var operands: Operands { Operands(inputs: ["x": TensorType(inputShape)], parameters: affine.parameters) }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) + affine.tokens }
  public var outputs: [String: TensorType] { ["y": TensorType(inputShape)] }
  /// Statistics, then the values.
  public var work: SaturatingCount { 3 * inputShape.elements }
  public var scratchElements: SaturatingCount { inputShape.elements }
}
