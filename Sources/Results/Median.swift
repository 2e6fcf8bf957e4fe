extension [Double] {
  /// The middle value, or the mean of the two in the middle; `nil` of nothing.
  package var median: Double? {
    guard !isEmpty else { return nil }
    let sorted = self.sorted()
    let (low, high) = (sorted[(count - 1) / 2], sorted[count / 2])
    return low == high ? low : low + (high - low) / 2
  }
}

extension DurationSamples {
  /// The median duration, which stands for the block; 0 of none.
  public var median: Double { nanoseconds.map { Double($0) }.median ?? 0 }
}
