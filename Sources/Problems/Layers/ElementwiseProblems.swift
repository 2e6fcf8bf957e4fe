import Tensors

/// What the operations have in common that take one tensor of any shape and no attributes.
public protocol UnaryProblem: OperationProblem {
  var inputShape: Shape { get }
  /// - Throws: ``ProblemError`` when the shape does not fit the operation.
  init(inputShape: Shape) throws(ProblemError)
}

extension UnaryProblem {
  public static var attributeTokens: [AttributeToken] { [] }
  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    try self.init(inputShape: operands.input())
  }
  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    Operands(inputs: ["x": TensorType(try text.anyShape())])
  }
  public var attributes: Attributes { Attributes() }
  public var operands: Operands { Operands(inputs: ["x": TensorType(inputShape)]) }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) }
  public var outputs: [String: TensorType] { ["y": TensorType(inputShape)] }
}

/// A unary operation that looks at each element once, on its own.
public protocol ElementwiseProblem: UnaryProblem {}

extension ElementwiseProblem {
  public var work: SaturatingCount { inputShape.elements }
  public var scratchElements: SaturatingCount { 0 }
}

/// A unary operation that exponentiates slices along axis 1: their maximum, their sum, their values.
public protocol SoftmaxFamilyProblem: UnaryProblem {}

extension SoftmaxFamilyProblem {
  public var work: SaturatingCount { 3 * inputShape.elements }
  /// Exponentials, and for the bound their errors and sizes.
  public var scratchElements: SaturatingCount { 3 * inputShape.elements }
}

/// max(0, x), element by element.
public struct ReLUProblem: ElementwiseProblem {
  public static let operation = "relu"
  public let inputShape: Shape
  public init(inputShape: Shape) { self.inputShape = inputShape }
}

/// x itself.
public struct IdentityProblem: ElementwiseProblem {
  public static let operation = "identity"
  public let inputShape: Shape
  public init(inputShape: Shape) { self.inputShape = inputShape }
}

/// Dropout in evaluation, which is the identity.
public struct DropoutProblem: ElementwiseProblem {
  public static let operation = "dropout"
  public let inputShape: Shape
  public init(inputShape: Shape) { self.inputShape = inputShape }
}

/// exp(x) over its sum along axis 1.
public struct SoftmaxProblem: SoftmaxFamilyProblem {
  public static let operation = "softmax"
  public let inputShape: Shape
  public init(inputShape: Shape) throws(ProblemError) {
    try requireAxisOne(inputShape)
    self.inputShape = inputShape
  }
}

/// The logarithm of the softmax along axis 1.
public struct LogSoftmaxProblem: SoftmaxFamilyProblem {
  public static let operation = "log_softmax"
  public let inputShape: Shape
  public init(inputShape: Shape) throws(ProblemError) {
    try requireAxisOne(inputShape)
    self.inputShape = inputShape
  }
}

/// All axes from 1 on become one.
public struct FlattenProblem: ElementwiseProblem {
  public static let operation = "flatten"
  public let inputShape: Shape
  public init(inputShape: Shape) throws(ProblemError) {
    try requireAxisOne(inputShape)
    self.inputShape = inputShape
  }
  public var outputShape: Shape { Shape(inputShape[0], inputShape.dimensions.dropFirst().reduce(1, *)) }
  public var outputs: [String: TensorType] { ["y": TensorType(outputShape)] }
}

private func requireAxisOne(_ shape: Shape) throws(ProblemError) {
  guard shape.rank >= 2 else {
    throw ProblemError(
      .shapeMismatch, "inputs/x", expected: "rank 2 or more (there is an axis 1)", found: "shape \(shape)")
  }
}

/// x + other, of the same shape.
public struct AddProblem: OperationProblem {
  public static let operation = "add"
  public static let attributeTokens: [AttributeToken] = []
  public let inputShape: Shape
  public init(inputShape: Shape) { self.inputShape = inputShape }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let x = try operands.input()
    let other = try operands.input("other")
    guard x == other else {
      throw ProblemError(.shapeMismatch, "inputs/other", expected: "shape \(x), as inputs/x", found: "shape \(other)")
    }
    self.init(inputShape: x)
  }
  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let type = TensorType(try text.anyShape())
    return Operands(inputs: ["x": type, "other": type])
  }
  public var attributes: Attributes { Attributes() }
  public var operands: Operands {
    Operands(inputs: ["x": TensorType(inputShape), "other": TensorType(inputShape)])
  }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) }
  public var outputs: [String: TensorType] { ["y": TensorType(inputShape)] }
  public var work: SaturatingCount { inputShape.elements }
  public var scratchElements: SaturatingCount { 0 }
}
