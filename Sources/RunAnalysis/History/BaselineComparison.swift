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
    /// What is another for this engine alone, such as its version.
    public var differences: [RunDifference]

    /// As a line names it.
    public var label: String {
      (engine.isEmpty ? workload : "\(workload) \(engine)") + (isClaimed ? Trust.claimedMark : "")
    }
  }

  /// Calibrations may differ by so much before the runs are not compared.
  public static let calibrationLimit = 0.10

  /// New by old of each calibration kernel, by name and thread count.
  public let calibration: [String: Double]
  public let rows: [Row]
  /// What one run has and the other lacks, one sentence each: a workload, an engine, a time, or the rest of a run that
  /// was interrupted. Nothing is known of these, so a comparison that has any decides nothing about the whole.
  public let missing: [String]
  /// What is another in the new run, of all its times: `first` as it was, `second` as it is. Any of these may be the cause.
  public let differences: [RunDifference]
  /// What a file does not tell, so that nobody knows whether it is the same, one sentence each.
  public let unknown: [String]

  /// - Parameters:
  ///   - old: the run that is compared with.
  ///   - new: the run that may have changed.
  ///   - policy: the smallest change that is called one, as a fraction.
  /// - Throws: ``Refusal`` when keys differ, calibrations drift, the times of a run are in doubt, or there is nothing to
  ///   compare.
  public init(old: Run, new: Run, policy: Double) throws(Refusal) {
    guard let before = StoredTimes(old), let after = StoredTimes(new) else {
      throw Refusal(reasons: ["expected two runs with benchmarks, found one without"])
    }
    try self.init(old: before, new: after, policy: policy)
  }

  /// The same for times of any file.
  /// - Parameters:
  ///   - old: the times that are compared with.
  ///   - new: the times that may have changed.
  ///   - policy: the smallest change that is called one, as a fraction.
  /// - Throws: ``Refusal``, as above.
  public init(old: StoredTimes, new: StoredTimes, policy: Double) throws(Refusal) {
    let differing = old.differences(to: new, isKey: true)
    guard differing.isEmpty else {
      throw Refusal(
        reasons: differing.map { "\($0.name) differs: \($0.first) and \($0.second): the runs cannot be compared" })
    }
    let doubts = [("old", old), ("new", new)].flatMap { name, times in
      times.doubts.map { "the times of the \(name) run are in doubt: \($0)" }
    }
    guard doubts.isEmpty else { throw Refusal(reasons: doubts) }
    calibration = Self.calibration(old, new)
    let drifting = calibration.filter { abs($0.value - 1) > Self.calibrationLimit }.sorted { $0.key < $1.key }
    guard drifting.isEmpty else {
      throw Refusal(
        reasons: drifting.map {
          "calibration drifted by \(String(format: "%+.1f %%", 100 * ($0.value - 1))) on \($0.key), more than 10 %: the "
            + "machine has changed"
        })
    }
    let all = old.differences(to: new, isKey: false)
    differences = all.filter { !StoredTimes.isVersion($0.name) }
    unknown = Self.unknown(old, new, isCalibrated: !calibration.isEmpty)
    let earlier = Dictionary(old.entries.map { ($0.place, $0) }, uniquingKeysWith: { first, _ in first })
    var rows: [Row] = []
    for entry in new.entries {
      guard let now = entry.time, let before = earlier[entry.place], let then = before.time else { continue }
      let drift = Self.drift(calibration, threads: entry.threads)
      let ratio = now.median / then.median / drift
      let interval = Self.interval(now, then, drift)
      rows.append(
        Row(
          workload: entry.benchmark, engine: entry.engine, oldNanoseconds: then.median, newNanoseconds: now.median,
          normalisedRatio: ratio, interval: interval, verdict: Self.verdict(ratio, interval, policy),
          isClaimed: entry.isClaimed || before.isClaimed,
          differences: all.filter { $0.name == StoredTimes.versionName(of: entry.engine) }))
    }
    missing = Self.missing(old, new)
    guard !rows.isEmpty else { throw Refusal(reasons: missing + ["the runs have no time in common"]) }
    self.rows = rows
  }

  /// An engine that a run does not have at all is named once, and not again on each workload.
  private static func missing(_ old: StoredTimes, _ new: StoredTimes) -> [String] {
    var found: [String] = []
    for (times, name) in [(old, "old"), (new, "new")] where !times.isComplete {
      found.append("the \(name) run was interrupted: what it did not measure is missing")
    }
    let engines = [old, new].map { Set($0.entries.map(\.engine)) }
    for engine in engines[0].symmetricDifference(engines[1]).sorted() where !engine.isEmpty {
      found.append("\(engine): in the \(engines[0].contains(engine) ? "old" : "new") run alone")
    }
    let both = engines[0].intersection(engines[1])
    let (names, entries) = (
      [old, new].map { benchmarks(of: $0) },
      [old, new].map { Dictionary($0.entries.map { ($0.place, $0) }, uniquingKeysWith: { first, _ in first }) }
    )
    let known = names.map(Set.init)
    for name in names[0] {
      guard known[1].contains(name) else {
        found.append("\(name): in the old run alone")
        continue
      }
      for engine in both.sorted() {
        let pair = entries.map { $0[StoredTimes.Place(benchmark: name, engine: engine)] }
        let subject = engine.isEmpty ? name : "\(engine) on \(name)"
        let without = [(pair[0], "old"), (pair[1], "new")].filter { $0.0?.time == nil }
        // Neither has one: an engine that does not do this. Times that are no numbers are named all the same.
        if without.count == 2, !without.contains(where: { $0.0?.isBroken == true }) { continue }
        for (entry, run) in without {
          let why = entry.map { $0.problem.isEmpty ? "" : " (\($0.problem))" } ?? ""
          found.append("\(subject): no time in the \(run) run\(why)")
        }
      }
    }
    return found + names[1].filter { !known[0].contains($0) }.map { "\($0): in the new run alone" }
  }

  /// Each once, in the order of the file.
  private static func benchmarks(of times: StoredTimes) -> [String] {
    var seen: Set<String> = []
    return times.entries.map(\.benchmark).filter { seen.insert($0).inserted }
  }

  private static func unknown(_ old: StoredTimes, _ new: StoredTimes, isCalibrated: Bool) -> [String] {
    var found: [String] = []
    for (times, name) in [(old, "old"), (new, "new")] where !times.unknown.isEmpty {
      found.append("the \(name) file (\(times.program)) does not tell: \(times.unknown.joined(separator: ", "))")
    }
    if !isCalibrated { found.append("no calibration in both files: times are compared as they are") }
    return found
  }

  /// How much longer the calibration kernels take in the new run.
  private static func calibration(_ old: StoredTimes, _ new: StoredTimes) -> [String: Double] {
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

  private static func drift(_ calibration: [String: Double], threads: Int?) -> Double {
    guard let threads else { return 1 }
    // In the order of their names: the sum of logarithms depends on it in its last bits.
    let ratios = calibration.filter { $0.key.hasSuffix(" t\(threads)") }.sorted { $0.key < $1.key }.map(\.value)
    guard !ratios.isEmpty else { return 1 }
    return exp(ratios.reduce(0) { $0 + log($1) } / Double(ratios.count))
  }

  private static func interval(
    _ now: StoredTimes.Time, _ then: StoredTimes.Time, _ drift: Double
  ) -> ClosedRange<Double>? {
    guard let now = now.interval, let then = then.interval else { return nil }
    let (low, high) = (now.lowerBound / then.upperBound / drift, now.upperBound / then.lowerBound / drift)
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

extension StoredTimes {
  /// What two files may both have.
  struct Place: Hashable {
    var benchmark: String
    var engine: String
  }
}

extension StoredTimes.Entry {
  var place: StoredTimes.Place { .init(benchmark: benchmark, engine: engine) }
}
