import Results

/// An interval for a median, with the confidence that it really has.
public struct MedianInterval: Hashable, Sendable, Encodable {
  public var lower: Double
  public var upper: Double
  /// The exact coverage: at least the one asked for.
  public var confidence: Double

  public init(lower: Double, upper: Double, confidence: Double) {
    self.lower = lower
    self.upper = upper
    self.confidence = confidence
  }
}

/// What is read off sorted samples. Nothing here assumes a distribution.
public enum OrderStatistics {
  /// The middle value, or the mean of the two in the middle; `nil` of nothing.
  public static func median(_ values: some Collection<Double>) -> Double? { Array(values).median }

  /// The smallest sample with at least the fraction `level` of the samples at or below it.
  /// - Parameters:
  ///   - level: 0 gives the minimum, 1 the maximum.
  ///   - values: the samples, in any order; none give `nil`.
  public static func quantile(_ level: Double, of values: some Collection<Double>) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let rank = Int((level * Double(sorted.count)).rounded(.up))
    return sorted[min(max(rank, 1), sorted.count) - 1]
  }

  /// The interval between two order statistics that covers the median with at least the confidence asked for: the inversion
  /// of the two-sided sign test, exact for independent samples of any continuous distribution.
  ///
  ///     [x₍ₖ₎, x₍ₙ₊₁₋ₖ₎],  k the largest with 2·P(Bin(n, ½) ≤ k − 1) ≤ 1 − confidence
  ///
  /// - Returns: `nil` when even the extremes do not cover it (n < 6 at 95 %).
  public static func medianInterval(_ values: some Collection<Double>, confidence: Double = 0.95) -> MedianInterval? {
    let n = values.count
    guard n > 0 else { return nil }
    var rank = 0
    while rank < (n + 1) / 2, 2 * BinomialTail.atMost(rank, trials: n) <= 1 - confidence { rank += 1 }
    guard rank > 0 else { return nil }
    let sorted = values.sorted()
    return MedianInterval(
      lower: sorted[rank - 1], upper: sorted[n - rank],
      confidence: 1 - 2 * BinomialTail.atMost(rank - 1, trials: n))
  }

  /// The median distance from the median, scaled to be a normal distribution's σ.
  public static func scaledMedianDeviation(_ values: some Collection<Double>) -> Double? {
    guard let centre = median(values) else { return nil }
    return median(values.map { abs($0 - centre) }).map { $0 * 1.482_602_218_505_602 }
  }
}
