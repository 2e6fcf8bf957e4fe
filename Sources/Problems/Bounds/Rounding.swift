import Tensors

/// What one precision contributes to an error bound.
public struct Rounding: Hashable, Sendable {
  /// u: half the distance from 1 to the next larger value.
  public let unit: Double
  /// What one rounding of a result below the normal range can cost: half the smallest subnormal (for float64 the smallest
  /// itself, since its half is no double).
  public let underflow: Double

  /// - Returns: `nil` for integers, which do not round.
  public init?(_ dtype: DType) {
    guard let format = dtype.format else { return nil }
    self.init(format)
  }

  private init(_ format: FloatFormat) {
    unit = format.unitRoundoff
    let half = format.leastSubnormal / 2
    underflow = half > 0 ? half : format.leastSubnormal
  }

  public static let float32 = Rounding(.binary32)
  public static let float64 = Rounding(.binary64)

  /// γ_k = k·u / (1 − k·u): the relative error of k roundings in a row. Infinite where it says nothing (k·u ≥ 1).
  /// - Source: Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., lemma 3.1.
  public func gamma(_ roundings: Double) -> Double {
    let product = roundings * unit
    return product < 1 ? product / (1 - product) : .infinity
  }

  public func gamma(_ roundings: Int) -> Double { gamma(Double(roundings)) }
}
