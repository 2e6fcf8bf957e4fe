import Foundation
import Results

/// The best built-in strategy beside the fastest peer on each workload of one setting, so in one layout and precision.
public struct PeerComparison {
  public struct Row {
    public let problem: String
    public let strategy: String
    public let strategyNanoseconds: Double
    public let peer: String
    public let peerNanoseconds: Double
    /// Whether nobody has won: the intervals of both medians overlap, one of them has too few blocks for an interval, or the
    /// times of the run are in doubt.
    public let isOpen: Bool

    /// Above 1 the strategy is faster.
    public var ratio: Double { peerNanoseconds / strategyNanoseconds }

    /// `strategy`, `peer`, or `open`.
    public var winner: String { isOpen ? "open" : ratio > 1 ? "strategy" : "peer" }
  }

  /// `batch 1, forward, nchw, 1 thread`.
  public let setting: String
  public let rows: [Row]
  /// Whether the times decide nothing, so that nothing is said of all of them together.
  public let isDoubtful: Bool

  /// One comparison for each setting that has a workload which both sides did.
  public static func comparisons(of section: BenchmarkSection) -> [PeerComparison] {
    BenchmarkSetting.settings(of: section).compactMap { setting, workloads in
      let rows = workloads.compactMap { row($0, section) }
      return rows.isEmpty ? nil : PeerComparison(setting: setting.name, rows: rows, isDoubtful: section.isDoubtful)
    }
  }

  private static func row(_ workload: BenchmarkWorkload, _ section: BenchmarkSection) -> Row? {
    let names = Set(section.engines.filter { !$0.isBuiltIn }.map(\.name))
    let peers = workload.contestants.compactMap { contestant in
      names.contains(contestant.engine) && !contestant.isClaimed ? contestant.time.map { (contestant.engine, $0) } : nil
    }
    guard let strategy = workload.bestBuiltIn, let own = workload.contestant(strategy)?.time,
      let (peer, other) = peers.min(by: { $0.1.medianNanoseconds < $1.1.medianNanoseconds })
    else { return nil }
    var isOpen = true
    if !section.isDoubtful, let (low, high) = interval(own), let (otherLow, otherHigh) = interval(other) {
      isOpen = low <= otherHigh && otherLow <= high
    }
    return Row(
      problem: workload.problem, strategy: strategy, strategyNanoseconds: own.medianNanoseconds, peer: peer,
      peerNanoseconds: other.medianNanoseconds, isOpen: isOpen)
  }

  private static func interval(_ time: TimeSummary) -> (Double, Double)? {
    time.lowerNanoseconds.flatMap { low in time.upperNanoseconds.map { (low, $0) } }
  }

  /// Of the ratios; above 1 the strategies are faster.
  public var geometricMean: Double { exp(rows.reduce(0) { $0 + log($1.ratio) } / Double(rows.count)) }

  /// The middle ratio: a few shapes on which one side does something else altogether leave it where it is.
  public var median: Double {
    let sorted = rows.map(\.ratio).sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  public static let headings = ["shape", "strategy", "ms", "fastest peer", "ms", "peer/strategy", "faster"]

  public var cells: [[String]] {
    rows.map { row in
      [
        BenchmarkText.shape(row.problem), row.strategy, BenchmarkText.milliseconds(row.strategyNanoseconds), row.peer,
        BenchmarkText.milliseconds(row.peerNanoseconds), BenchmarkText.ratio(row.ratio), row.winner,
      ]
    }
  }

  /// The geometric mean and the median, and where a peer wins.
  public var summary: String {
    guard !isDoubtful else { return "Inconclusive times: open on all \(rows.count)." }
    let lost = rows.filter { $0.winner == "peer" }
    let open = rows.count { $0.isOpen }
    let names = lost.map { "\(BenchmarkText.shape($0.problem)) (\($0.peer), \(BenchmarkText.ratio($0.ratio)))" }
    return
      "Geometric mean \(BenchmarkText.ratio(geometricMean)), median \(BenchmarkText.ratio(median)) over "
      + "\(rows.count) convolution\(rows.count == 1 ? "" : "s") (above 1 the strategy is faster); "
      + "open on \(open); " + (lost.isEmpty ? "no peer wins" : "a peer wins on \(lost.count): ")
      + names.joined(separator: "; ") + "."
  }
}
