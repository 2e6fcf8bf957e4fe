import Foundation
import Problems
import Results

/// What is derived from samples. Pure: the same samples and ceilings give the same figures, bit for bit.
public enum BenchmarkAnalysis {
  /// Fills in everything derived: summaries, bests, limits, totals and facts.
  public static func complete(_ section: inout BenchmarkSection) {
    for index in section.workloads.indices {
      summarise(&section.workloads[index], section)
    }
    section.totals = NetworkTotals.totals(of: section)
    section.facts = BenchmarkFacts.facts(of: section)
  }

  static func summarise(_ workload: inout BenchmarkWorkload, _ section: BenchmarkSection) {
    let ceiling = section.ceilings.first { $0.threads == workload.threads }
    if let ceiling {
      let compute = workload.flops / ceiling.peakGigaflops
      let memory = workload.compulsoryBytes / bandwidth(workload.compulsoryBytes, ceiling, section.machine)
      workload.limitNanoseconds = max(compute, memory)
      workload.limitedBy = compute >= memory ? "compute" : "memory"
    }
    let baseline = workload.contestant(section.options.baseline)?.samples.map(blockMedian) ?? []
    for index in workload.contestants.indices {
      let algorithm = section.engines.first { $0.name == workload.contestants[index].engine }?.info["algorithm"]
      workload.contestants[index].time = time(
        of: workload.contestants[index], workload, ceiling, baseline: baseline, algorithm: algorithm ?? "",
        confidence: section.options.confidence)
    }
    let timed = workload.contestants.filter { $0.time != nil }
    func fastest(_ contestants: [BenchmarkContestant]) -> String? {
      contestants.min { ($0.time?.medianNanoseconds ?? 0) < ($1.time?.medianNanoseconds ?? 0) }?.engine
    }
    workload.best = fastest(timed)
    workload.bestBuiltIn = fastest(
      timed.filter { contestant in
        section.engines.contains { $0.name == contestant.engine && $0.isBuiltIn }
      })
  }

  /// 10⁹ bytes/s of the smallest memory that the operands fit, in bytes a nanosecond.
  private static func bandwidth(_ bytes: Double, _ ceiling: CeilingRecord, _ machine: MachineRecord) -> Double {
    if let l2 = machine.l2Bytes, bytes <= Double(l2 * ceiling.threads) { return ceiling.l2GigabytesPerSecond }
    if let l3 = machine.l3Bytes, let rate = ceiling.l3GigabytesPerSecond, bytes <= Double(l3) { return rate }
    return ceiling.memoryGigabytesPerSecond
  }

  public static func blockMedian(_ samples: DurationSamples) -> Double {
    OrderStatistics.median(samples.nanoseconds.map { Double($0) }) ?? 0
  }

  private static func time(
    of contestant: BenchmarkContestant, _ workload: BenchmarkWorkload, _ ceiling: CeilingRecord?, baseline: [Double],
    algorithm: String, confidence: Double
  ) -> TimeSummary? {
    let blocks = contestant.samples.map(blockMedian)
    guard contestant.status == .timed, let median = OrderStatistics.median(blocks), median > 0,
      let minimum = contestant.samples.flatMap(\.nanoseconds).min()
    else { return nil }
    let interval = OrderStatistics.medianInterval(blocks, confidence: confidence)
    var time = TimeSummary(
      medianNanoseconds: median, minimumNanoseconds: Double(minimum), lowerNanoseconds: interval?.lower,
      upperNanoseconds: interval?.upper, equivalentGigaflops: workload.flops / median,
      gigabytesPerSecond: workload.compulsoryBytes / median)
    if let actual = actualFlops(workload, algorithm: algorithm) { time.actualGigaflops = actual / median }
    if let ceiling {
      time.peakFraction = (time.actualGigaflops ?? time.equivalentGigaflops) / ceiling.peakGigaflops
    }
    time.limitFraction = workload.limitNanoseconds.map { $0 / median }
    if baseline.count == blocks.count, !baseline.isEmpty {
      let ratios = zip(baseline, blocks).map { $0 / $1 }
      let spread = OrderStatistics.medianInterval(ratios, confidence: confidence)
      time.speedup = OrderStatistics.median(ratios)
      time.speedupLower = spread?.lower
      time.speedupUpper = spread?.upper
    }
    return time
  }

  /// The multiplication's own flops for Winograd's F(m×m, 3×3): (m + 2)² products for each tile, channel and filter, over
  /// whole tiles. Its transforms are not counted. `nil` for an algorithm that does the definition's arithmetic.
  private static func actualFlops(_ workload: BenchmarkWorkload, algorithm: String) -> Double? {
    guard algorithm.hasPrefix("winograd"), let m = Int(algorithm.dropFirst("winograd".count)), m > 0,
      let problem = (try? Problem.parse(workload.problem)) as? Conv2dProblem
    else { return nil }
    let extent = workload.pass == "backward_data" ? problem.inputSize : problem.outputSize
    let tiles = ((extent.height + m - 1) / m) * ((extent.width + m - 1) / m)
    let products = Double(problem.batch * tiles * (m + 2) * (m + 2))
    return 2 * products * Double(problem.outputChannels) * Double(problem.inputChannels / problem.groups)
  }
}
