import Tensors

/// The comparison of one element.
struct ElementComparison {
  /// error/bound: at most 1 passes. 0 where the error is 0; infinite where a NaN, an infinity or an equality is violated.
  let ratio: Double
  let ulps: Double
  var passes: Bool { ratio <= 1 }

  /// - Parameters:
  ///   - bound: NaN or infinite asks for the same value, as an expected value that is not finite does.
  ///   - threshold: the least number that rounds to infinity in the candidate's type. What may have reached it may come as
  ///     infinity.
  init(
    got: Double, expected: Double, bound: Double, dtype: DType, threshold: Double, equalNaN: Bool, checkSignedZero: Bool
  ) {
    ulps = ULPs.distance(got, expected, dtype)
    if got.isNaN || expected.isNaN {
      ratio = got.isNaN && expected.isNaN && equalNaN ? 0 : .infinity
    } else if checkSignedZero, expected == 0, got == 0, got.sign != expected.sign {
      ratio = .infinity
    } else if got == expected {
      ratio = 0
    } else if got.isInfinite, abs(expected) >= threshold, (got < 0) == (expected < 0) {
      // The expected value itself rounds to this infinity, whatever the bound.
      ratio = 0
    } else if expected.isInfinite || !bound.isFinite {
      ratio = .infinity
    } else if got.isInfinite {
      let overflows = abs(expected) + bound >= threshold && (got < 0) == (expected < 0)
      ratio = overflows ? 1 : .infinity
    } else {
      // 0/0 was dealt with above: an error above a bound of 0 is infinitely wrong.
      ratio = bound > 0 ? abs(got - expected) / bound : .infinity
    }
  }
}
