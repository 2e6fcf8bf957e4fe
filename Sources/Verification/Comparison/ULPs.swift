import Tensors

/// Distances in units of the last place of a precision.
enum ULPs {
  /// The spacing of values of the precision around a number.
  static func size(at value: Double, _ dtype: DType) -> Double {
    guard value.isFinite else { return .nan }
    guard let format = dtype.format else { return 1 }
    return format.spacing(at: min(abs(value), format.greatest))
  }

  /// |got − expected| in those units: 0 for equal values (and NaN for NaN), infinite where one is not finite.
  static func distance(_ got: Double, _ expected: Double, _ dtype: DType) -> Double {
    if got == expected || (got.isNaN && expected.isNaN) { return 0 }
    guard got.isFinite, expected.isFinite else { return .infinity }
    return abs(got - expected) / size(at: expected, dtype)
  }
}
