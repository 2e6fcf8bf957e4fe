import Tensors

/// Normalisation of a tensor over its last axes, for each row: each index of the axes before them.
public struct LayerNormProblem: AffineNormProblem {
  public let inputShape: Shape
  /// How many trailing axes a row has.
  public let normalizedDims: Int
  public let eps: Double
  public let affine: AffineParameters

  /// - Throws: ``ProblemError`` when there is no axis to normalise over, or there are more than the input has.
  public init(
    inputShape: Shape, normalizedDims: Int, eps: Double = 1e-5, hasWeight: Bool = true, hasBias: Bool = true
  ) throws(ProblemError) {
    let shape = try Self.rowShape(of: inputShape, normalizedDims)
    guard eps >= 0, eps.isFinite else {
      throw ProblemError(.invalidArgument, "eps", expected: "a finite number ≥ 0", found: "\(eps)")
    }
    self.inputShape = inputShape
    self.normalizedDims = normalizedDims
    self.eps = eps
    affine = AffineParameters(shape: shape, hasWeight: hasWeight, hasBias: hasBias)
  }

  private static func rowShape(of input: Shape, _ dims: Int) throws(ProblemError) -> Shape {
    guard dims >= 1 else {
      throw ProblemError(.invalidArgument, "normalized_dims", expected: "a number ≥ 1", found: "\(dims)")
    }
    guard dims <= input.rank else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "rank \(dims) or more, to normalise over \(dims) axes",
        found: "shape \(input)")
    }
    return Shape(Array(input.dimensions.suffix(dims)))
  }

  /// The axes of one row.
  public var normalizedShape: Shape { affine.shape }
}

extension LayerNormProblem {
  public static let operation = "layer_norm"
  public static let attributeTokens: [AttributeToken] = [
    .integer("dims", "normalized_dims"), .real("eps", "eps", omitting: .real(1e-5)),
  ]

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let x = try operands.input()
    let dims = try attributes.integer("normalized_dims", default: nil)
    let affine = try AffineParameters(in: operands, shape: Self.rowShape(of: x, dims))
    try self.init(
      inputShape: x, normalizedDims: dims, eps: attributes.real("eps", default: 1e-5), hasWeight: affine.hasWeight,
      hasBias: affine.hasBias)
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let x = try text.anyShape()
    guard let dims = text.peek("dims").flatMap(Int.init) else {
      throw text.failure("a word like dims1 (how many trailing axes)", text.words.joined(separator: " "))
    }
    let shape = try rowShape(of: x, dims)
    return Operands(inputs: ["x": TensorType(x)], parameters: AffineParameters(from: &text, shape: shape).parameters)
  }

  public var attributes: Attributes { Attributes(["normalized_dims": .integer(normalizedDims), "eps": .real(eps)]) }
  public var operands: Operands { Operands(inputs: ["x": TensorType(inputShape)], parameters: affine.parameters) }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) + affine.tokens }
  public var outputs: [String: TensorType] { ["y": TensorType(inputShape)] }
  /// Statistics, then the values.
  public var work: SaturatingCount { 3 * inputShape.elements }
  public var scratchElements: SaturatingCount { inputShape.elements }
}
