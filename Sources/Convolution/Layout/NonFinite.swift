extension UnsafeBufferPointer where Element == Float {
  /// Whether an element is infinite or NaN.
  var hasNonFinite: Bool {
    guard let values = baseAddress else { return false }
    // 0·w is NaN for a w that is infinite or NaN, and every NaN reaches the sum.
    var sums = SIMD16<Float>.zero
    var index = 0
    while index + 16 <= count {
      sums += UnsafeRawPointer(values + index).loadUnaligned(as: SIMD16<Float>.self) * 0
      index += 16
    }
    var sum = sums.sum()
    while index < count {
      sum += values[index] * 0
      index += 1
    }
    return sum != 0
  }
}
