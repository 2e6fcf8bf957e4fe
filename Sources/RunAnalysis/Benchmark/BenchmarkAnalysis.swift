import Foundation
import Results

/// What is derived from samples. Pure: the same samples and ceilings give the same figures, bit for bit.
public enum BenchmarkAnalysis {
  /// Fills in everything derived: summaries, bests, limits, totals, doubts and facts.
  public static func complete(_ section: inout BenchmarkSection) {
    for index in section.workloads.indices {
      summarise(&section.workloads[index], section)
    }
    section.totals = NetworkTotals.totals(of: section)
    let doubts = BenchmarkDoubts.doubts(of: section)
    section.doubts = doubts
    // A sentence that compares is worth nothing where the times are not.
    section.facts = doubts.isEmpty ? BenchmarkFacts.facts(of: section) : []
  }

  static func summarise(_ workload: inout BenchmarkWorkload, _ section: BenchmarkSection) {
    let ceiling = section.ceilings.first { $0.threads == workload.threads }
    let floor = ConvolutionFloor(workload, in: section)
    let network = NetworkFloor(workload, in: section)
    let limit =
      floor.map { ($0.nanoseconds, $0.limitedBy, $0.algorithm) }
      ?? network.map { ($0.nanoseconds, $0.limitedBy, NetworkFloor.algorithm) }
      ?? OperationFloor(workload, in: section).map { ($0.nanoseconds, $0.limitedBy, OperationFloor.algorithm) }
    (workload.limitNanoseconds, workload.limitedBy, workload.limitAlgorithm) = (limit?.0, limit?.1, limit?.2)
    let baseline = workload.contestant(section.options.baseline)?.samples.map(\.median) ?? []
    for index in workload.contestants.indices {
      let engine = section.engines.first { $0.name == workload.contestants[index].engine }
      workload.contestants[index].time = time(
        of: workload.contestants[index], workload, ceiling, baseline: baseline, engine: engine,
        confidence: section.options.confidence)
      workload.contestants[index].layers = workload.contestants[index].layers.map { limited($0, by: network) }
    }
    // What an engine alone says of its time may be shown, and names nobody fastest.
    let timed = workload.contestants.filter { $0.time != nil && !$0.isClaimed }
    workload.best = fastest(timed)
    let builtIn = timed.filter { contestant in
      section.engines.contains { $0.name == contestant.engine && $0.isBuiltIn }
    }
    workload.bestBuiltIn = fastest(builtIn)
    workload.lead = workload.best.map { lead(of: $0, among: timed, confidence: section.options.confidence) }
    workload.ties = workload.lead?.ties
    workload.builtInLead =
      builtIn.count == timed.count
      ? nil : workload.bestBuiltIn.map { lead(of: $0, among: builtIn, confidence: section.options.confidence) }
  }

  /// The layers of a network with their limits. A step of several layers is named after the first, which does the work.
  private static func limited(_ layers: [LayerTime], by floor: NetworkFloor?) -> [LayerTime] {
    let limits = Dictionary(
      (floor?.layers ?? []).map { ($0.name, $0.nanoseconds) }, uniquingKeysWith: { first, _ in first })
    return layers.map { layer in
      var layer = layer
      layer.limitNanoseconds = limits[layer.layer]
      return layer
    }
  }

  /// By the same figure that every table calls the speed-up, so that what is called the fastest is never shown as slower
  /// than the baseline; by the median time where there is no baseline to relate to.
  private static func fastest(_ contestants: [BenchmarkContestant]) -> String? {
    let times = contestants.compactMap { contestant in contestant.time.map { (contestant.engine, $0) } }
    if times.allSatisfy({ $0.1.speedup != nil }) {
      return times.max { ($0.1.speedup ?? 0) < ($1.1.speedup ?? 0) }?.0
    }
    return times.min { $0.1.medianNanoseconds < $1.1.medianNanoseconds }?.0
  }

  /// Who ties with the fastest (the interval of the blocks' ratios spans 1, or there is none), and how far behind the next one
  /// is.
  private static func lead(of fastest: String, among timed: [BenchmarkContestant], confidence: Double) -> LeadRecord {
    let own = timed.first { $0.engine == fastest }?.samples.map(\.median) ?? []
    var record = LeadRecord(engine: fastest, ties: [])
    for other in timed where other.engine != fastest {
      let blocks = other.samples.map(\.median)
      let ratios = blocks.count == own.count ? zip(blocks, own).map { $0 / $1 } : []
      guard let interval = OrderStatistics.medianInterval(ratios, confidence: confidence), interval.lower > 1,
        let ratio = OrderStatistics.median(ratios)
      else {
        record.ties.append(other.engine)
        continue
      }
      guard ratio < record.ratio ?? .infinity else { continue }
      record.next = other.engine
      record.ratio = ratio
      record.lower = interval.lower
      record.upper = interval.upper
    }
    return record
  }

  private static func time(
    of contestant: BenchmarkContestant, _ workload: BenchmarkWorkload, _ ceiling: CeilingRecord?, baseline: [Double],
    engine: BenchmarkEngine?, confidence: Double
  ) -> TimeSummary? {
    let blocks = contestant.samples.map(\.median)
    guard contestant.status == .timed, let median = OrderStatistics.median(blocks), median > 0,
      let minimum = contestant.samples.flatMap(\.nanoseconds).min()
    else { return nil }
    let interval = OrderStatistics.medianInterval(blocks, confidence: confidence)
    var time = TimeSummary(
      medianNanoseconds: median, minimumNanoseconds: Double(minimum), lowerNanoseconds: interval?.lower,
      upperNanoseconds: interval?.upper, equivalentGigaflops: workload.flops / median,
      gigabytesPerSecond: workload.compulsoryBytes / median)
    let algorithm = algorithm(declared: engine?.info["algorithm"] ?? "", summary: contestant.summary)
    if let actual = actualFlops(workload, algorithm: algorithm) { time.actualGigaflops = actual / median }
    // Peaks and limits are this machine's CPU's: they say nothing of another device.
    if engine?.device == nil {
      if let ceiling, workload.flops > 0 {
        time.peakFraction = (time.actualGigaflops ?? time.equivalentGigaflops) / ceiling.peakGigaflops
      }
      time.limitFraction = workload.limitNanoseconds.map { $0 / median }
    }
    if baseline.count == blocks.count, !baseline.isEmpty {
      let ratios = zip(baseline, blocks).map { $0 / $1 }
      let spread = OrderStatistics.medianInterval(ratios, confidence: confidence)
      time.speedup = OrderStatistics.median(ratios)
      time.speedupLower = spread?.lower
      time.speedupUpper = spread?.upper
    }
    return time
  }

  /// What ran, of an engine that declares several algorithms: the first of them that its summary names, as in
  /// `auto (winograd4), avx512, forward`.
  /// - Returns: nothing when it does not tell.
  private static func algorithm(declared: String, summary: String) -> String {
    let known = declared.split { ", ".contains($0) }
    if known.count == 1 { return String(known[0]) }
    return summary.split { ", ()".contains($0) }.first { known.contains($0) }.map(String.init) ?? ""
  }

  /// The multiplication's own flops for Winograd's F(m×m, 3×3). Its transforms are not counted. `nil` for an algorithm that
  /// does the definition's arithmetic.
  private static func actualFlops(_ workload: BenchmarkWorkload, algorithm: String) -> Double? {
    guard algorithm.hasPrefix("winograd"), let m = Int(algorithm.dropFirst("winograd".count)), m > 0,
      let work = ConvolutionWork(workload)
    else { return nil }
    return 2 * work.products(ofTile: m)
  }
}
