import Tensors

/// x + alpha·other, of the same shape.
public struct ScaledAddProblem: OperationProblem {
  public static let operation = "scaled_add"
  public static let attributeTokens: [AttributeToken] = [.real("alpha", "alpha", omitting: .real(1))]
  public let inputShape: Shape
  /// Any number, infinities and NaN among them.
  public let alpha: Double

  public init(inputShape: Shape, alpha: Double = 1) {
    self.inputShape = inputShape
    self.alpha = alpha
  }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let x = try operands.input()
    let other = try operands.input("other")
    guard x == other else {
      throw ProblemError(.shapeMismatch, "inputs/other", expected: "shape \(x), as inputs/x", found: "shape \(other)")
    }
    self.init(inputShape: x, alpha: try attributes.real("alpha", default: 1))
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let type = TensorType(try text.anyShape())
    return Operands(inputs: ["x": type, "other": type])
  }

  public var attributes: Attributes { Attributes(["alpha": .real(alpha)]) }
  public var operands: Operands {
    Operands(inputs: ["x": TensorType(inputShape), "other": TensorType(inputShape)])
  }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) }
  public var outputs: [String: TensorType] { ["y": TensorType(inputShape)] }
  public var work: SaturatingCount { inputShape.elements }
  public var scratchElements: SaturatingCount { 0 }
}
