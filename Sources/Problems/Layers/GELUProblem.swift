import Tensors

/// x·Φ(x), element by element, Φ being the normal distribution or what approximates it.
public struct GELUProblem: OperationProblem {
  /// How Φ is taken: `none` by the error function, `tanh` by a cubic in tanh.
  public enum Approximation: String, Hashable, Sendable, CaseIterable { case none, tanh }

  public static let operation = "gelu"
  public static let attributeTokens: [AttributeToken] = [
    .string("approximate", "approximate", omitting: .string("none"))
  ]
  public let inputShape: Shape
  public let approximation: Approximation

  public init(inputShape: Shape, approximation: Approximation = .none) {
    self.inputShape = inputShape
    self.approximation = approximation
  }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    self.init(
      inputShape: try operands.input(), approximation: try attributes.choice("approximate", default: .none))
  }
  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    Operands(inputs: ["x": TensorType(try text.anyShape())])
  }
  public var attributes: Attributes { Attributes(["approximate": .string(approximation.rawValue)]) }
  public var operands: Operands { Operands(inputs: ["x": TensorType(inputShape)]) }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) }
  public var outputs: [String: TensorType] { ["y": TensorType(inputShape)] }
  public var work: SaturatingCount { inputShape.elements }
  public var scratchElements: SaturatingCount { 0 }
}
