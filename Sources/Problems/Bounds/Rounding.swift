import Tensors

/// What one precision contributes to an error bound.
public struct Rounding: Hashable, Sendable {
  /// u: half the distance from 1 to the next larger value.
  public let unit: Double
  /// What one rounding of a result below the normal range can cost: half the smallest subnormal (for float64 the smallest
  /// itself, since its half is no double).
  public let underflow: Double
  /// The largest finite value.
  public let largest: Double

  /// - Returns: `nil` for integers, which do not round.
  public init?(_ dtype: DType) {
    switch dtype {
    case .float32: self = .float32
    case .float64: self = .float64
    case .int64: return nil
    }
  }

  private init(unit: Double, underflow: Double, largest: Double) {
    self.unit = unit
    self.underflow = underflow
    self.largest = largest
  }

  public static let float32 = Rounding(
    unit: Float.unitRoundoff, underflow: 0x1p-150, largest: Double(Float.greatestFiniteMagnitude))
  public static let float64 = Rounding(
    unit: Double.unitRoundoff, underflow: 0x1p-1074, largest: Double.greatestFiniteMagnitude)

  /// γ_k = k·u / (1 − k·u): the relative error of k roundings in a row. Infinite where it says nothing (k·u ≥ 1).
  /// - Source: Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., lemma 3.1.
  public func gamma(_ roundings: Double) -> Double {
    let product = roundings * unit
    return product < 1 ? product / (1 - product) : .infinity
  }

  public func gamma(_ roundings: Int) -> Double { gamma(Double(roundings)) }
}
