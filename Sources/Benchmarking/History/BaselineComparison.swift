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
    public var verdict: Verdict
  }

  /// Calibrations may differ by so much before the runs are not compared.
  public static let calibrationLimit = 0.10

  /// New by old of each calibration kernel, by name and thread count.
  public let calibration: [String: Double]
  public let rows: [Row]
  /// Workloads of one run alone.
  public let missing: [String]

  /// - Parameter policy: the smallest change that is called one.
  /// - Throws: ``Refusal`` when keys differ, calibrations drift, or there is nothing to compare.
  public init(old: Run, new: Run, policy: Double) throws(Refusal) {
    guard let before = old.benchmark, let after = new.benchmark else {
      throw Refusal(reasons: ["expected two runs with benchmarks, found one without"])
    }
    let differing = zip(Self.key(of: old, before), Self.key(of: new, after)).filter { $0.1 != $1.1 }
    guard differing.isEmpty else {
      throw Refusal(
        reasons: differing.map { "\($0.0) differs: \($0.1) and \($1.1): these runs say nothing of each other" })
    }
    calibration = Self.calibration(before, after)
    let drifting = calibration.filter { abs($0.value - 1) > Self.calibrationLimit }.sorted { $0.key < $1.key }
    guard drifting.isEmpty else {
      throw Refusal(
        reasons: drifting.map {
          "calibration drifted by \(String(format: "%+.1f %%", 100 * ($0.value - 1))) on \($0.key), more than 10 %: the "
            + "machine is not as it was"
        })
    }
    var rows: [Row] = []
    for workload in after.workloads {
      guard let counterpart = before.workloads.first(where: { $0.name == workload.name }) else { continue }
      let drift = Self.drift(calibration, threads: workload.threads)
      for contestant in workload.contestants {
        guard let now = contestant.time, let then = counterpart.contestant(contestant.engine)?.time else { continue }
        let ratio = now.medianNanoseconds / then.medianNanoseconds / drift
        rows.append(
          Row(
            workload: workload.name, engine: contestant.engine, oldNanoseconds: then.medianNanoseconds,
            newNanoseconds: now.medianNanoseconds, normalisedRatio: ratio,
            verdict: Self.verdict(now, then, ratio, drift, policy)))
      }
    }
    guard !rows.isEmpty else { throw Refusal(reasons: ["the runs have no benchmark in common"]) }
    self.rows = rows
    let (a, b) = (Set(before.workloads.map(\.name)), Set(after.workloads.map(\.name)))
    missing = a.symmetricDifference(b).sorted()
  }

  /// What must be equal: name and value, in order.
  public static func key(of run: Run, _ section: BenchmarkSection) -> [(String, String)] {
    [
      ("CPU model", run.provenance.cpuModel), ("number of cores", "\(run.provenance.coreCount)"),
      ("instruction set", section.machine.selectedInstructionSet), ("operating system", run.provenance.operatingSystem),
      ("compiler", run.provenance.compiler), ("compiler flags", run.provenance.compilerFlags),
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

  /// A change is called one when it exceeds the policy and the intervals do not meet; where there are none, it is unclear.
  private static func verdict(
    _ now: TimeSummary, _ then: TimeSummary, _ ratio: Double, _ drift: Double, _ policy: Double
  ) -> Row.Verdict {
    guard let nowLow = now.lowerNanoseconds, let nowHigh = now.upperNanoseconds, let thenLow = then.lowerNanoseconds,
      let thenHigh = then.upperNanoseconds
    else { return .unclear }
    if ratio > 1 + policy, nowLow / drift > thenHigh { return .slower }
    if ratio < 1 / (1 + policy), nowHigh / drift < thenLow { return .faster }
    return .same
  }
}
