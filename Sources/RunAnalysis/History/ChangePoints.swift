import Tensors

/// Where a series of measurements changed its distribution: hierarchical bisection by energy distance (E-divisive), each
/// split kept only when a permutation test calls it significant.
///
/// - Source: Matteson and James 2014, "A nonparametric approach for multiple change point analysis", α = 1; in this use
///   Daly et al. 2020, "The use of change point detection to identify software performance regressions".
public struct ChangePoints: Sendable {
  public var significance = 0.05
  public var permutations = 199
  /// A segment shorter than this says nothing about a distribution.
  public var minimumLength = 3
  public var seed: UInt64 = 1

  public init() {}

  /// First positions of the segments after the first, ascending.
  public func find(in series: [Double]) -> [Int] {
    var generator = SplitMix64(seed: seed)
    var found: [Int] = []
    var pending = [series.indices]
    while let range = pending.popLast() {
      let segment = Array(series[range])
      guard let best = bestSplit(segment), isSignificant(best.statistic, segment, &generator) else { continue }
      let position = range.lowerBound + best.position
      found.append(position)
      pending.append(position..<range.upperBound)
      pending.append(range.lowerBound..<position)
    }
    return found.sorted()
  }

  private func isSignificant(_ statistic: Double, _ segment: [Double], _ generator: inout SplitMix64) -> Bool {
    guard statistic > 0 else { return false }
    var asLarge = 1
    for _ in 0..<permutations {
      if let shuffled = bestSplit(segment.shuffled(using: &generator)), shuffled.statistic >= statistic { asLarge += 1 }
    }
    return Double(asLarge) / Double(permutations + 1) <= significance
  }

  /// The split with the largest scaled energy distance between its sides,
  ///
  ///     n·m/(n + m) · (2·mean|X − Y| − mean|X − X′| − mean|Y − Y′|),
  ///
  /// found in O(n²) by moving one element at a time from the right side to the left.
  private func bestSplit(_ values: [Double]) -> (position: Int, statistic: Double)? {
    let count = values.count
    guard count >= 2 * minimumLength else { return nil }
    var (left, across, right) = (0.0, 0.0, 0.0)
    for i in values.indices { for j in 0..<i { right += abs(values[i] - values[j]) } }
    var best: (position: Int, statistic: Double)?
    for split in 1...(count - minimumLength) {
      let moved = values[split - 1]
      let toLeft = values[..<(split - 1)].reduce(0) { $0 + abs($1 - moved) }
      let toRight = values[split...].reduce(0) { $0 + abs($1 - moved) }
      left += toLeft
      right -= toRight
      across += toRight - toLeft
      guard split >= minimumLength else { continue }
      let (n, m) = (Double(split), Double(count - split))
      let statistic =
        n * m / (n + m) * (2 * across / (n * m) - left / (n * (n - 1) / 2) - right / (m * (m - 1) / 2))
      if statistic > best?.statistic ?? -.infinity { best = (split, statistic) }
    }
    return best
  }
}
