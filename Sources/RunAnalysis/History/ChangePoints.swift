/// Where a series of measurements changed its level.
///
/// A search over the whole series finds less the longer the series is, as old runs outvote new ones. So splits are looked for in
/// windows, by their energy distance, and each is judged by the runs next to it: those of the window on either side, up to
/// the neighbouring change. A split that these cannot confirm yet stays a weak one, which later runs confirm or dissolve.
///
/// - Source: the splits are those of Matteson and James 2014, "A nonparametric approach for multiple change point analysis",
///   α = 1; windows and weak points after Fleming et al. 2023, "Hunter: using change point detection to hunt for performance
///   regressions" (Apache Otava).
public struct ChangePoints: Sendable {
  /// A position where the level changes, and how certain that is.
  public struct Change: Sendable, Hashable {
    /// The first run after it.
    public var position: Int
    /// Of the rank-sum test between the runs on its sides, times the positions where noise could look as certain: its best split
    /// looks better than any given one.
    public var pValue: Double

    public init(position: Int, pValue: Double) {
      self.position = position
      self.pValue = pValue
    }
  }

  public var significance = 0.05
  /// So many runs on either side decide about a change; older ones no longer do.
  public var window = 30
  /// A segment shorter than this says nothing about a distribution.
  public var minimumLength = 3

  public init() {}

  /// First positions of the segments after the first, ascending, of a series that is looked at alone.
  public func find(in series: [Double]) -> [Int] { changes(in: series).map(\.position) }

  /// All that stand out in their own series, ascending: the weak ones, of which ``confirmed(_:)`` tells those that stand out among
  /// many series, too.
  public func changes(in series: [Double]) -> [Change] {
    var found = Set<Int>()
    var start = 0
    while true {
      let range = start..<min(start + 2 * window, series.count)
      split(series, range, into: &found)
      if range.upperBound == series.count { break }
      start += window
    }
    return eliminate(found.sorted(), series)
  }

  /// Which changes of several series are certain when all series are looked at: at a false discovery rate of
  /// ``significance``. A series without any counts as one test that found nothing.
  /// - Parameter families: the changes of each series.
  public func confirmed(_ families: [[Change]]) -> [[Bool]] {
    let values = families.flatMap { $0.isEmpty ? [1] : $0.map(\.pValue) }
    var isCertain = BenjaminiHochberg.discoveries(values, rate: significance)[...]
    return families.map { family in
      let own = isCertain.prefix(max(family.count, 1))
      isCertain = isCertain.dropFirst(max(family.count, 1))
      return family.isEmpty ? [] : Array(own)
    }
  }

  /// Bisects as long as the best split stands out as if nobody had searched for it; what does not hold is taken back later.
  private func split(_ series: [Double], _ range: Range<Int>, into found: inout Set<Int>) {
    var pending = [range]
    while let range = pending.popLast() {
      guard let offset = bestSplit(Array(series[range])) else { continue }
      let position = range.lowerBound + offset
      let (left, right) = (range.lowerBound..<position, position..<range.upperBound)
      guard RankSum.pValue(Array(series[left]), Array(series[right])) <= significance else { continue }
      found.insert(position)
      pending += [left, right]
    }
  }

  /// Takes back the least certain split, one after the other, until all stand out against their neighbours.
  private func eliminate(_ candidates: [Int], _ series: [Double]) -> [Change] {
    var positions = candidates
    while true {
      let changes = positions.indices.map { index in
        let left = max(index > 0 ? positions[index - 1] : 0, positions[index] - window)
        let right = min(index + 1 < positions.count ? positions[index + 1] : series.count, positions[index] + window)
        let isLong = min(positions[index] - left, right - positions[index]) >= minimumLength
        let p = RankSum.pValue(Array(series[left..<positions[index]]), Array(series[positions[index]..<right]))
        let places = places(as: p, of: right - left)
        return Change(position: positions[index], pValue: isLong ? min(1, p * Double(places)) : 1)
      }
      guard let worst = changes.max(by: { ($0.pValue, $1.position) < ($1.pValue, $0.position) }),
        worst.pValue > significance
      else { return changes }
      positions.removeAll { $0 == worst.position }
    }
  }

  /// In how many places of so many runs noise could look as certain as this: near the ends there are too few runs on one side
  /// (Tarone 1990).
  private func places(as pValue: Double, of count: Int) -> Int {
    guard count >= 2 * minimumLength else { return 1 }
    let reachable = (minimumLength...(count - minimumLength)).count { place in
      RankSum.smallest(place, count - place) <= pValue * (1 + 1e-9)
    }
    return max(1, reachable)
  }

  /// The split with the largest scaled energy distance between its sides,
  ///
  ///     n·m/(n + m) · (2·mean|X − Y| − mean|X − X′| − mean|Y − Y′|),
  ///
  /// found in O(n²) by moving one element at a time from the right side to the left.
  private func bestSplit(_ values: [Double]) -> Int? {
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
      if statistic > best?.statistic ?? 0 { best = (split, statistic) }
    }
    return best?.position
  }
}
