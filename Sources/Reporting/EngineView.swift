import Results

/// One engine against the others of a run: where it loses time to the best, and how far it is from the least that is possible.
struct EngineView {
  struct Row {
    let workload: BenchmarkWorkload
    let contestant: BenchmarkContestant
    let time: TimeSummary
    let best: BenchmarkContestant
    let bestTime: TimeSummary
    /// How often the networks of the run have the layer, all together; 1 of a layer that is in none.
    let occurrences: Int
    /// Whether nobody is certainly faster.
    let isFirst: Bool

    /// Of one run of the layer; 0 where nobody is certainly faster.
    var lostNanoseconds: Double { isFirst ? 0 : max(0, time.medianNanoseconds - bestTime.medianNanoseconds) }
    var lostInAll: Double { lostNanoseconds * Double(occurrences) }
    var ratio: Double { time.medianNanoseconds / bestTime.medianNanoseconds }
  }

  /// Of one network in one setting.
  struct Network {
    let name: String
    let nanoseconds: Double
    /// By that of the best engine for each layer, and by the sum of the limits, over the layers that the engine did.
    let byBest: Double
    let byLimit: Double?
    /// Convolutions that it did, of all.
    let done: Int
    let all: Int
  }

  let engine: BenchmarkEngine
  /// What costs most first.
  let rows: [Row]
  /// Layers that it was asked for and does not do, by reason.
  let idle: [(reason: String, count: Int)]
  private let section: BenchmarkSection
  private let provenance: Provenance

  /// `nil` where it has no time beside another's.
  init?(_ engine: BenchmarkEngine, _ section: BenchmarkSection, _ provenance: Provenance) {
    self.engine = engine
    self.section = section
    self.provenance = provenance
    let layers = section.workloads.filter { !$0.isWholeNetwork }
    rows = layers.compactMap { Self.row(engine.name, $0, section) }
      .sorted { ($1.lostInAll, $1.ratio, $0.workload.name) < ($0.lostInAll, $0.ratio, $1.workload.name) }
    let refused = layers.compactMap { $0.contestant(engine.name) }.filter { $0.time == nil }
    idle = Dictionary(grouping: refused) { "\($0.status.rawValue): \($0.message)" }
      .map { ($0.key, $0.value.count) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
    guard !section.isDoubtful, rows.contains(where: { $0.workload.contestants.count { $0.time != nil } > 1 }) else {
      return nil
    }
  }

  private static func row(_ name: String, _ workload: BenchmarkWorkload, _ section: BenchmarkSection) -> Row? {
    guard let own = workload.contestant(name), let time = own.time, let winner = workload.best,
      let best = workload.contestant(winner), let bestTime = best.time
    else { return nil }
    let occurrences = section.networks.filter { $0.batch == workload.batch }.reduce(0) { sum, network in
      sum + (network.layers.first { $0.problem == workload.problem }?.multiplicity ?? 0)
    }
    return Row(
      workload: workload, contestant: own, time: time, best: best, bestTime: bestTime, occurrences: max(occurrences, 1),
      isFirst: workload.isAmongBest(name))
  }

  var lost: Double { rows.reduce(0) { $0 + $1.lostInAll } }
  private var spent: Double { rows.reduce(0) { $0 + $1.time.medianNanoseconds * Double($1.occurrences) } }

  /// `1.31 times the time of the best over 29 layers, …`.
  var summary: String {
    let all = RatioSummary(rows.map(\.ratio))
    let limits = RatioSummary(rows.compactMap { $0.time.limitFraction.map { 1 / $0 } })
    var words: [String] = []
    if let all {
      words.append(
        "\(BenchmarkText.ratio(all.geometricMean))× the time of the best in the geometric mean, "
          + "\(BenchmarkText.ratio(all.median))× in the median, over \(all.count) layer\(all.count == 1 ? "" : "s")")
    }
    if let limits { words.append("\(BenchmarkText.ratio(limits.geometricMean))× the least that is possible") }
    words.append("first or tied on \(rows.count(where: \.isFirst))")
    return words.joined(separator: "; ")
  }

  /// Where what is lost is lost: by kind of layer, the largest share first.
  var places: String? {
    guard lost > 0 else { return nil }
    let kinds = Dictionary(grouping: rows) { row in
      let words = ProblemWords(row.workload.problem)
      return words.kind + (words.size.map { ", image edge \($0)" } ?? "")
    }.map { (kind: $0.key, lost: $0.value.reduce(0) { $0 + $1.lostInAll }) }
      .filter { $0.lost > 0 }.sorted { ($1.lost, $0.kind) < ($0.lost, $1.kind) }
    return "It loses most on "
      + kinds.prefix(3).map { "\($0.kind) (\(BenchmarkText.percent($0.lost / lost)) of what it loses)" }.joined(
        separator: ", ")
      + ". All together it spends \(BenchmarkText.milliseconds(spent)) ms on the networks' layers, of which "
      + "\(BenchmarkText.milliseconds(lost)) ms are lost to the best."
  }

  /// Sums over the layers of each network that the engine did.
  var networks: [(setting: BenchmarkSetting, network: Network)] {
    BenchmarkSetting.settings(of: section).flatMap { setting, workloads in
      section.networks.filter { $0.batch == setting.batch }.compactMap { network in
        sum(network, workloads).map { (setting, $0) }
      }
    }
  }

  private func sum(_ network: BenchmarkNetwork, _ workloads: [BenchmarkWorkload]) -> Network? {
    var (own, best, limit, done, all): (Double, Double, Double?, Int, Int) = (0, 0, 0, 0, 0)
    for layer in network.layers {
      guard let workload = workloads.first(where: { $0.problem == layer.problem }) else { continue }
      all += layer.multiplicity
      guard let row = rows.first(where: { $0.workload.name == workload.name }) else { continue }
      let count = Double(layer.multiplicity)
      done += layer.multiplicity
      own += count * row.time.medianNanoseconds
      best += count * (row.isFirst ? row.time : row.bestTime).medianNanoseconds
      limit = limit.flatMap { sum in workload.limitNanoseconds.map { sum + count * $0 } }
    }
    guard done > 0, best > 0 else { return nil }
    return Network(
      name: network.name, nanoseconds: own, byBest: own / best, byLimit: limit.map { own / $0 }, done: done, all: all)
  }

  static let networkHeadings = ["network", "setting", "ms", "by the best", "by the limit", "convolutions done"]
  var networkRows: [[String]] {
    networks.map { setting, network in
      [
        network.name, setting.name, BenchmarkText.milliseconds(network.nanoseconds) + mark,
        BenchmarkText.ratio(network.byBest) + "×", network.byLimit.map { BenchmarkText.ratio($0) + "×" } ?? "–",
        "\(network.done) of \(network.all)",
      ]
    }
  }

  private var mark: String { rows.contains { $0.contestant.isClaimed } ? Trust.claimedMark : "" }

  static let headings = [
    "layer", "ms", "best", "its ms", "by the best", "by the limit", "limited by", "times", "ms lost", "ms lost in all",
    "MiB", "best's MiB", "error/bound", "timed as", "what ran", "what the best ran", "command",
  ]
  static let caption =
    "What costs most first: the time lost to the best engine on one run of the layer, by how often the networks of this run have "
    + "it. Nothing is lost where the blocks do not tell the engine from the best. The command times both again."
  static let figures: Set<Int> = [1, 3, 4, 5, 7, 8, 9, 10, 11, 12]

  func cells(_ row: Row) -> [String] {
    let (own, best) = (row.contestant, row.best)
    let contestants = own.engine == best.engine ? [own] : [own, best]
    return [
      BenchmarkText.shape(row.workload.problem), BenchmarkText.milliseconds(own, row.time),
      row.isFirst ? (own.engine == best.engine ? "it is" : "tie: \(best.engine)") : best.engine,
      BenchmarkText.milliseconds(row.bestTime.medianNanoseconds), BenchmarkText.ratio(row.ratio) + "×",
      row.time.limitFraction.map { BenchmarkText.ratio(1 / $0) + "×" } ?? "–", row.workload.limitText,
      "\(row.occurrences)",
      BenchmarkText.milliseconds(row.lostNanoseconds), BenchmarkText.milliseconds(row.lostInAll), memory(own),
      memory(best),
      own.worstRatio.map(NumberText.short) ?? "–", BenchmarkSetting(row.workload).name, own.summary,
      own.engine == best.engine ? "" : best.summary,
      "\(BenchmarkReproduction.command(contestants, on: row.workload, of: section, provenance))",
    ]
  }

  private func memory(_ contestant: BenchmarkContestant) -> String { BenchmarkText.workspace(contestant, section) }
}
