import Tensors

/// One problem: an operation with its attributes and the shapes it is applied to. Every conforming value is valid: the
/// initialisers refuse what cannot be computed.
///
/// Glossary of dimensions: N batch, C input channels, H × W input height and width; K output channels, R × S kernel height
/// and width, P × Q output height and width; G groups.
public protocol OperationProblem: Hashable, Sendable {
  /// The name in the golden format.
  static var operation: String { get }
  /// How attributes are written in the text form, in order.
  static var attributeTokens: [AttributeToken] { get }

  /// Reads and validates the problem of a golden case or a request.
  /// - Throws: ``ProblemError`` in the category that the golden format asks for.
  init(attributes: Attributes, operands: Operands) throws(ProblemError)

  /// Operand types from the shape tokens of the text form; consumes what it uses.
  static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands

  /// The attributes, complete.
  var attributes: Attributes { get }
  /// The operands that a caller has to provide, in float32 (indices int64).
  var operands: Operands { get }
  /// Shape tokens of the text form.
  var shapeTokens: [String] { get }
  /// The outputs by name.
  var outputs: [String: TensorType] { get }
  /// Multiply-accumulate operations of one forward pass; 0 where the operation is not made of them. Saturates.
  var multiplyAccumulates: Int { get }
  /// Steps of one forward pass: multiply-accumulates, or elements looked at where it is not made of them.
  var work: SaturatingCount { get }
  /// Elements that the reference holds at once beside operands, outputs and their gradients.
  var scratchElements: SaturatingCount { get }
}

extension OperationProblem {
  public var multiplyAccumulates: Int { 0 }

  /// Names of the attributes in the golden format.
  public static var attributeNames: Set<String> { Set(attributeTokens.map(\.attribute)) }

  /// The one-line text form: `conv2d n8c64h56w56 k64r3s3 stride1 pad1`. Parsing it gives this problem again.
  public var text: String {
    ([Self.operation] + shapeTokens + Self.attributeTokens.compactMap { $0.text(in: attributes) })
      .joined(separator: " ")
  }

  public init(text: inout ProblemText) throws(ProblemError) {
    let operands = try Self.operands(from: &text)
    let attributes = try text.attributes(Self.attributeTokens)
    try text.requireEmpty()
    try self.init(attributes: attributes, operands: operands)
  }
}
