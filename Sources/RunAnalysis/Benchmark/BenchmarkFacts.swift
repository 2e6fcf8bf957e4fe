import Foundation
import Results

/// The sentences that a run's reader should see first. They say what was measured and nothing more.
enum BenchmarkFacts {
  static func facts(of section: BenchmarkSection) -> [String] {
    section.engines.filter(isOwn).compactMap { own($0, section) }
      + [network(section), fastestOverBaseline(section), peers(section), limit(section)].compactMap { $0 }
  }

  /// Whether it was given with its command, so that it is the reader's and what the run is about: a peer has a name alone.
  private static func isOwn(_ engine: BenchmarkEngine) -> Bool { !engine.isBuiltIn && engine.command != engine.name }

  /// How far a reader's own engine is from what is possible, and from the others: from its side.
  private static func own(_ engine: BenchmarkEngine, _ section: BenchmarkSection) -> String? {
    var (fractions, ratios): ([Double], [Double]) = ([], [])
    var fastest: [String: Int] = [:]
    for workload in section.workloads {
      guard let contestant = workload.contestant(engine.name), !contestant.isClaimed, let time = contestant.time else {
        continue
      }
      if let fraction = time.limitFraction { fractions.append(fraction) }
      let others = workload.contestants.filter { $0.engine != engine.name && !$0.isClaimed }.compactMap { other in
        other.time.map { (name: other.engine, nanoseconds: $0.medianNanoseconds) }
      }
      guard let best = others.min(by: { $0.nanoseconds < $1.nanoseconds }) else { continue }
      ratios.append(time.medianNanoseconds / best.nanoseconds)
      fastest[best.name, default: 0] += 1
    }
    var words: [String] = []
    if let reached = RatioSummary(fractions) {
      words.append(
        "reaches \(percent(reached.geometricMean)) of the limit of any algorithm in the geometric mean over "
          + "\(reached.count) workload\(reached.count == 1 ? "" : "s")")
    }
    if let all = RatioSummary(ratios) {
      let names = fastest.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key).joined(separator: ", ")
      let isBehind = all.geometricMean >= 1
      let times = multiple(isBehind ? all.geometricMean : 1 / all.geometricMean)
      words.append(
        isBehind
          ? "the fastest other (\(names)) is \(times) times as fast"
          : "it is \(times) times as fast as the fastest other (\(names))")
    }
    return words.isEmpty ? nil : "\(engine.name): \(words.joined(separator: "; "))."
  }

  private static func percent(_ fraction: Double) -> String {
    String(format: fraction < 0.0095 ? "%.1g %%" : "%.0f %%", 100 * fraction)
  }

  private static func multiple(_ ratio: Double) -> String {
    String(format: ratio >= 100 ? "%.0f" : ratio >= 10 ? "%.1f" : "%.2f", ratio)
  }

  private static func milliseconds(_ nanoseconds: Double) -> String { String(format: "%.2f ms", nanoseconds * 1e-6) }

  private static func network(_ section: BenchmarkSection) -> String? {
    let candidates = section.totals.compactMap { total -> (NetworkTotal, Double, Double)? in
      guard let best = total.entries.first(where: { $0.engine == NetworkTotal.bestMix }),
        let baseline = total.entries.first(where: { $0.engine == section.options.baseline }), baseline.claimed == nil
      else { return nil }
      return (total, best.nanoseconds, baseline.nanoseconds)
    }
    guard let (total, best, baseline) = candidates.max(by: { $0.2 / $0.1 < $1.2 / $1.1 }) else { return nil }
    return "The \(total.convolutions) convolutions of \(total.network), batch \(total.batch), \(total.threads) "
      + "thread\(total.threads == 1 ? "" : "s") (\(total.pass), \(total.layout)): \(milliseconds(best)) with the best strategy "
      + "for each, \(String(format: "%.2f", baseline / best)) times as fast as \(section.options.baseline) alone "
      + "(\(milliseconds(baseline)))."
  }

  private static func fastestOverBaseline(_ section: BenchmarkSection) -> String? {
    let workloads = section.workloads.filter { $0.contestant(section.options.baseline)?.isClaimed == false }
    let all = workloads.flatMap { workload in
      workload.contestants.filter { $0.engine != section.options.baseline && !$0.isClaimed }.compactMap {
        contestant -> (BenchmarkWorkload, String, Double)? in
        // A gain whose interval reaches 1 may be none.
        guard let time = contestant.time, let lower = time.speedupLower, lower > 1 else { return nil }
        return time.speedup.map { (workload, contestant.engine, $0) }
      }
    }
    guard let (workload, engine, speedup) = all.max(by: { $0.2 < $1.2 }), speedup > 1 else { return nil }
    return "The largest gain of one convolution: \(engine) is \(String(format: "%.2f", speedup)) times as fast as "
      + "\(section.options.baseline) on \(workload.name)."
  }

  /// How the best built-in strategy compares with the fastest peer, over the workloads that both did.
  private static func peers(_ section: BenchmarkSection) -> String? {
    let others = Set(section.engines.filter { !$0.isBuiltIn && !isOwn($0) }.map(\.name))
    var peers: Set<String> = []
    var (ratios, withWinograd, without): ([Double], [Double], [Double]) = ([], [], [])
    var claims = 0
    for workload in section.workloads {
      let contestants = workload.contestants.filter { others.contains($0.engine) && !$0.isClaimed && $0.time != nil }
      peers.formUnion(contestants.map(\.engine))
      let times = contestants.compactMap { $0.time?.medianNanoseconds }
      guard let peer = times.min(), let best = workload.bestBuiltIn.flatMap({ workload.contestant($0)?.time }) else {
        continue
      }
      let claimed = workload.contestants.filter { others.contains($0.engine) && $0.isClaimed }
        .compactMap { $0.time?.medianNanoseconds }.min()
      if let claimed, claimed < min(peer, best.medianNanoseconds) { claims += 1 }
      let ratio = peer / best.medianNanoseconds
      ratios.append(ratio)
      if best.actualGigaflops == nil { without.append(ratio) } else { withWinograd.append(ratio) }
    }
    guard let all = RatioSummary(ratios) else { return nil }
    func both(_ found: RatioSummary) -> String {
      String(format: "%.2f in the geometric mean and %.2f in the median", found.geometricMean, found.median)
    }
    var parts = ""
    if let winograd = RatioSummary(withWinograd), let others = RatioSummary(without) {
      parts = " Where that is Winograd (\(winograd.count)): \(both(winograd)); elsewhere: \(both(others))."
    }
    return
      "Against the fastest of \(peers.sorted().joined(separator: ", ")) on each of \(ratios.count) workloads, the best "
      + "built-in strategy is \(String(format: "%.2f", all.geometricMean)) times as fast in the geometric mean, "
      + "\(String(format: "%.2f", all.median)) in the median, and no slower on \(ratios.count { $0 >= 1 }) of them."
      + parts + (claims == 0 ? "" : " On \(claims) a peer whose times no audit confirmed claims to be faster still.")
  }

  private static func limit(_ section: BenchmarkSection) -> String? {
    let fractions = section.workloads.compactMap { workload in
      workload.contestant(section.options.baseline).flatMap { $0.isClaimed ? nil : $0.time?.limitFraction }
    }
    guard let all = RatioSummary(fractions) else { return nil }
    return
      "\(section.options.baseline) reaches \(percent(all.geometricMean)) of the limit of any algorithm in the geometric "
      + "mean, \(percent(all.median)) in the median, over \(all.count) workloads."
  }
}
