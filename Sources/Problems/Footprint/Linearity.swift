import Tensors

/// In which operands an operation is affine while the others are fixed.
public struct Linearity: Hashable, Sendable {
  public var operands: Set<String>
  /// Whether integer operands below 2^53 give exact results, so that linear maps are checked without rounding.
  public var isExactOnIntegers: Bool

  public init(in operands: Set<String>, exactOnIntegers: Bool) {
    self.operands = operands
    isExactOnIntegers = exactOnIntegers
  }

  /// In no operand.
  public static let none = Linearity(in: [], exactOnIntegers: false)
}

/// Elements of one operand whose gradients sum to zero, because a common shift of them changes nothing: a channel in
/// training-mode batch normalisation, a row of logits.
public struct ShiftInvariance: Sendable {
  public var operand: String
  /// What a set is, for a message: `channel`, `row`.
  public var unit: String
  public var setCount: Int
  public var set: @Sendable (_ element: Int) -> Int

  public init(
    operand: String, unit: String, setCount: Int, set: @escaping @Sendable (_ element: Int) -> Int
  ) {
    self.operand = operand
    self.unit = unit
    self.setCount = setCount
    self.set = set
  }

  /// The rows along axis 1 of `x` (N, C, …).
  public static func rows(of shape: Shape) -> ShiftInvariance {
    let plane = shape.dimensions.dropFirst(2).reduce(1, *)
    let classes = shape[1]
    return ShiftInvariance(operand: "x", unit: "row", setCount: shape[0] * plane) { element in
      element / (classes * plane) * plane + element % plane
    }
  }
}
