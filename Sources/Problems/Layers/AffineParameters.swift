import Tensors

/// The scale γ = `weight` and the shift β = `bias` that follow a normalisation; each may be left out.
public struct AffineParameters: Hashable, Sendable {
  public let shape: Shape
  public let hasWeight: Bool
  public let hasBias: Bool

  public init(shape: Shape, hasWeight: Bool = true, hasBias: Bool = true) {
    self.shape = shape
    self.hasWeight = hasWeight
    self.hasBias = hasBias
  }

  /// Those that are among the operands.
  /// - Throws: ``ProblemError`` where one has another shape, or is not floating-point.
  init(in operands: Operands, shape: Shape) throws(ProblemError) {
    for name in ["weight", "bias"] {
      guard let found = try operands.parameter(name), found != shape else { continue }
      throw ProblemError(
        .shapeMismatch, "parameters/\(name)", expected: "shape \(shape)", found: "shape \(found)")
    }
    self.init(
      shape: shape, hasWeight: operands.parameters["weight"] != nil, hasBias: operands.parameters["bias"] != nil)
  }

  /// Reads `noaffine`, `noweight` and `nobias`; both parameters are there where the text says nothing.
  init(from text: inout ProblemText, shape: Shape) {
    let none = text.flag("noaffine")
    self.init(shape: shape, hasWeight: !none && !text.flag("noweight"), hasBias: !none && !text.flag("nobias"))
  }

  var tokens: [String] {
    switch (hasWeight, hasBias) {
    case (false, false): ["noaffine"]
    case (false, true): ["noweight"]
    case (true, false): ["nobias"]
    case (true, true): []
    }
  }

  var parameters: [String: TensorType] {
    var parameters: [String: TensorType] = [:]
    if hasWeight { parameters["weight"] = TensorType(shape) }
    if hasBias { parameters["bias"] = TensorType(shape) }
    return parameters
  }
}

/// The problem of a normalisation with γ and β.
public protocol AffineNormProblem: OperationProblem {
  var inputShape: Shape { get }
  var eps: Double { get }
  var affine: AffineParameters { get }
}
