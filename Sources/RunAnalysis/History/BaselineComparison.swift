import Foundation
import Results

/// Two runs of different days: advisory, since the machine between them is not the same even when it is.
public struct BaselineComparison: Sendable {
  /// Why two runs are not compared.
  public struct Refusal: Error, CustomStringConvertible, Hashable {
    public var reasons: [String]
    public var description: String { reasons.joined(separator: "\n") }
  }

  public struct Row: Sendable, Hashable {
    public enum Verdict: String, Sendable { case same, slower, faster, unclear }
    public var workload: String
    public var engine: String
    public var oldNanoseconds: Double
    public var newNanoseconds: Double
    /// New by old, after both were divided by what the calibration kernels did.
    public var normalisedRatio: Double
    /// Where `normalisedRatio` lies when both medians lie in their intervals; `nil` where a run has too few blocks.
    public var interval: ClosedRange<Double>?
    public var verdict: Verdict
    /// Whether one of the times is the engine's word alone.
    public var isClaimed: Bool
  }

  /// Calibrations may differ by so much before the runs are not compared.
  public static let calibrationLimit = 0.10

  /// New by old of each calibration kernel, by name and thread count.
  public let calibration: [String: Double]
  public let rows: [Row]
  /// What one run has and the other lacks, one sentence each: a workload, an engine, a time, or the rest of a run that
  /// was interrupted. Nothing is known of these, so a comparison that has any decides nothing about the whole.
  public let missing: [String]

  /// - Parameters:
  ///   - old: the run that is compared with.
  ///   - new: the run that may have changed.
  ///   - policy: the smallest change that is called one, as a fraction.
  /// - Throws: ``Refusal`` when keys differ, calibrations drift, the times of a run are in doubt, or there is nothing to
  ///   compare.
  public init(old: Run, new: Run, policy: Double) throws(Refusal) {
    guard let before = old.benchmark, let after = new.benchmark else {
      throw Refusal(reasons: ["expected two runs with benchmarks, found one without"])
    }
    let differing = zip(Self.key(of: old, before), Self.key(of: new, after)).filter { $0.1 != $1.1 }
    guard differing.isEmpty else {
      throw Refusal(
        reasons: differing.map { "\($0.0) differs: \($0.1) and \($1.1): the runs cannot be compared" })
    }
    let doubts = [("old", before), ("new", after)].flatMap { name, section in
      (section.doubts ?? BenchmarkDoubts.doubts(of: section)).map { "the times of the \(name) run are in doubt: \($0)" }
    }
    guard doubts.isEmpty else { throw Refusal(reasons: doubts) }
    calibration = Self.calibration(before, after)
    let drifting = calibration.filter { abs($0.value - 1) > Self.calibrationLimit }.sorted { $0.key < $1.key }
    guard drifting.isEmpty else {
      throw Refusal(
        reasons: drifting.map {
          "calibration drifted by \(String(format: "%+.1f %%", 100 * ($0.value - 1))) on \($0.key), more than 10 %: the "
            + "machine has changed"
        })
    }
    var rows: [Row] = []
    for workload in after.workloads {
      guard let counterpart = before.workloads.first(where: { $0.name == workload.name }) else { continue }
      let drift = Self.drift(calibration, threads: workload.threads)
      for contestant in workload.contestants {
        guard let now = contestant.time, let earlier = counterpart.contestant(contestant.engine),
          let then = earlier.time
        else { continue }
        let ratio = now.medianNanoseconds / then.medianNanoseconds / drift
        let interval = Self.interval(now, then, drift)
        rows.append(
          Row(
            workload: workload.name, engine: contestant.engine, oldNanoseconds: then.medianNanoseconds,
            newNanoseconds: now.medianNanoseconds, normalisedRatio: ratio, interval: interval,
            verdict: Self.verdict(ratio, interval, policy), isClaimed: contestant.isClaimed || earlier.isClaimed))
      }
    }
    missing = Self.missing(before, after)
    guard !rows.isEmpty else { throw Refusal(reasons: missing + ["the runs have no time in common"]) }
    self.rows = rows
  }

  /// An engine that a run does not have at all is named once, and not again on each workload.
  private static func missing(_ old: BenchmarkSection, _ new: BenchmarkSection) -> [String] {
    var found: [String] = []
    for (section, name) in [(old, "old"), (new, "new")] where !section.complete {
      found.append("the \(name) run was interrupted: what it did not measure is missing")
    }
    let engines = [old, new].map { section in Set(section.workloads.flatMap(\.contestants).map(\.engine)) }
    for engine in engines[0].symmetricDifference(engines[1]).sorted() {
      found.append("\(engine): in the \(engines[0].contains(engine) ? "old" : "new") run alone")
    }
    let both = engines[0].intersection(engines[1])
    let oldNames = Set(old.workloads.map(\.name))
    for workload in old.workloads {
      guard let counterpart = new.workloads.first(where: { $0.name == workload.name }) else {
        found.append("\(workload.name): in the old run alone")
        continue
      }
      for engine in both.sorted() {
        let pair = [workload.contestant(engine), counterpart.contestant(engine)]
        guard (pair[0]?.time == nil) != (pair[1]?.time == nil) else { continue }
        let (without, name) = pair[0]?.time == nil ? (pair[0], "old") : (pair[1], "new")
        let why = without.map { " (\($0.status.rawValue)\($0.message.isEmpty ? "" : ": \($0.message)"))" } ?? ""
        found.append("\(engine) on \(workload.name): no time in the \(name) run\(why)")
      }
    }
    return found + new.workloads.filter { !oldNames.contains($0.name) }.map { "\($0.name): in the new run alone" }
  }

  /// What must be equal: name and value, in order.
  public static func key(of run: Run, _ section: BenchmarkSection) -> [(String, String)] {
    [
      ("CPU model", section.machine.cpuModel), ("number of cores", "\(run.provenance.coreCount)"),
      ("instruction set", section.machine.selectedInstructionSet), ("operating system", run.provenance.operatingSystem),
      ("compiler", run.provenance.compiler), ("compiler flags", run.provenance.compilerFlags),
      ("precision", section.options.dtype),
    ]
  }

  /// How much longer the calibration kernels take in the new run.
  private static func calibration(_ old: BenchmarkSection, _ new: BenchmarkSection) -> [String: Double] {
    var found: [String: Double] = [:]
    for ceiling in new.ceilings {
      guard let before = old.ceilings.first(where: { $0.threads == ceiling.threads }) else { continue }
      let suffix = "t\(ceiling.threads)"
      found["FMA peak \(suffix)"] = before.peakGigaflops / ceiling.peakGigaflops
      found["L2 copy \(suffix)"] = before.l2GigabytesPerSecond / ceiling.l2GigabytesPerSecond
      found["memory copy \(suffix)"] = before.memoryGigabytesPerSecond / ceiling.memoryGigabytesPerSecond
      found["frozen convolution \(suffix)"] = ceiling.frozenConvolutionNanoseconds / before.frozenConvolutionNanoseconds
    }
    return found
  }

  private static func drift(_ calibration: [String: Double], threads: Int) -> Double {
    // In the order of their names: the sum of logarithms depends on it in its last bits.
    let ratios = calibration.filter { $0.key.hasSuffix(" t\(threads)") }.sorted { $0.key < $1.key }.map(\.value)
    guard !ratios.isEmpty else { return 1 }
    return exp(ratios.reduce(0) { $0 + log($1) } / Double(ratios.count))
  }

  private static func interval(_ now: TimeSummary, _ then: TimeSummary, _ drift: Double) -> ClosedRange<Double>? {
    guard let nowLow = now.lowerNanoseconds, let nowHigh = now.upperNanoseconds, let thenLow = then.lowerNanoseconds,
      let thenHigh = then.upperNanoseconds
    else { return nil }
    let (low, high) = (nowLow / thenHigh / drift, nowHigh / thenLow / drift)
    return low <= high ? low...high : nil
  }

  /// A change is called one when it exceeds the policy and the medians' intervals do not meet; where there are none, it is
  /// unclear.
  private static func verdict(_ ratio: Double, _ interval: ClosedRange<Double>?, _ policy: Double) -> Row.Verdict {
    guard let interval else { return .unclear }
    if ratio > 1 + policy, interval.lowerBound > 1 { return .slower }
    if ratio < 1 / (1 + policy), interval.upperBound < 1 { return .faster }
    return .same
  }
}
