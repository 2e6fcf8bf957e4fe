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
    /// Whether the strategy multiplies less often than the definition does, as Winograd's algorithm.
    public let isWinograd: Bool
    /// Whether nobody has won: the intervals of both medians overlap, one of them has too few blocks for an interval, the times of
    /// the run are in doubt, or a peer whose times the audit could not confirm claims to be faster than both.
    public let isOpen: Bool
    /// That peer.
    public let claimant: String?

    /// Above 1 the strategy is faster.
    public var ratio: Double { peerNanoseconds / strategyNanoseconds }

    /// `strategy`, `peer`, or `open`.
    public var winner: String {
      claimant.map { "open: \($0) claims less" } ?? (isOpen ? "open" : ratio > 1 ? "strategy" : "peer")
    }
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
    func times(claimed: Bool) -> [(String, TimeSummary)] {
      workload.contestants.compactMap { contestant in
        guard names.contains(contestant.engine), contestant.isClaimed == claimed else { return nil }
        return contestant.time.map { (contestant.engine, $0) }
      }
    }
    guard let strategy = workload.bestBuiltIn, let own = workload.contestant(strategy)?.time,
      let (peer, other) = times(claimed: false).min(by: { $0.1.medianNanoseconds < $1.1.medianNanoseconds })
    else { return nil }
    var isOpen = true
    if !section.isDoubtful, let (low, high) = interval(own), let (otherLow, otherHigh) = interval(other) {
      isOpen = low <= otherHigh && otherLow <= high
    }
    let claim = times(claimed: true).min { $0.1.medianNanoseconds < $1.1.medianNanoseconds }
    let least = min(own.medianNanoseconds, other.medianNanoseconds)
    let claimant = claim.flatMap { $0.1.medianNanoseconds < least ? $0.0 : nil }
    return Row(
      problem: workload.problem, strategy: strategy, strategyNanoseconds: own.medianNanoseconds, peer: peer,
      peerNanoseconds: other.medianNanoseconds, isWinograd: own.actualGigaflops != nil,
      isOpen: isOpen || claimant != nil, claimant: claimant)
  }

  private static func interval(_ time: TimeSummary) -> (Double, Double)? {
    time.lowerNanoseconds.flatMap { low in time.upperNanoseconds.map { (low, $0) } }
  }

  /// Of the ratios, all or some of them; above 1 the strategies are faster.
  public func ratios(where isCounted: (Row) -> Bool = { _ in true }) -> RatioSummary? {
    RatioSummary(rows.filter(isCounted).map(\.ratio))
  }

  public static let headings = ["shape", "strategy", "ms", "fastest peer", "ms", "peer/strategy", "faster"]

  public var cells: [[String]] {
    rows.map { row in
      [
        BenchmarkText.shape(row.problem), row.strategy, BenchmarkText.milliseconds(row.strategyNanoseconds), row.peer,
        BenchmarkText.milliseconds(row.peerNanoseconds), BenchmarkText.multiple(row.ratio), row.winner,
      ]
    }
  }

  /// The geometric mean and the median, with and without the shapes on which Winograd is the best strategy, and where a peer
  /// wins.
  public var summary: String {
    guard !isDoubtful, let all = ratios() else { return "Inconclusive times: open on all \(rows.count)." }
    func both(_ found: RatioSummary) -> String {
      "mean \(BenchmarkText.multiple(found.geometricMean)), median \(BenchmarkText.multiple(found.median))"
    }
    var parts = ""
    if let winograd = ratios(where: \.isWinograd), let others = ratios(where: { !$0.isWinograd }) {
      parts =
        "; \(both(winograd)) on the \(winograd.count) where Winograd is the best strategy, \(both(others)) on the "
        + "other \(others.count)"
    }
    let lost = rows.filter { $0.winner == "peer" }
    let open = rows.count { $0.isOpen }
    let claimed = rows.count { $0.claimant != nil }
    let names = lost.map { "\(BenchmarkText.shape($0.problem)) (\($0.peer), \(BenchmarkText.multiple($0.ratio)))" }
    return
      "Geometric \(both(all)) over \(all.count) workload\(all.count == 1 ? "" : "s") (above 1 the strategy is "
      + "faster)\(parts); "
      + "open on \(open)" + (claimed == 0 ? "" : ", \(claimed) by claims that no audit confirmed") + "; "
      + (lost.isEmpty ? "no peer wins" : "a peer wins on \(lost.count): ")
      + names.joined(separator: "; ") + "."
  }
}
