import ArgumentParser
import ForeignTimes
import Foundation
import Reporting
import Results
import RunAnalysis

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare two stored runs. The result is advice; the gate is `assay duet`.",
    discussion: """
      Refuses when CPU, cores, instruction set, system, compiler or flags differ, or when a calibration kernel drifted by more
      than 10 %, and when the times of either run are in doubt. Times are normalised by the calibration of both runs. What one
      run has alone is named, and leaves the comparison undecided. What else is another in the new run is said beside the times.

      A run is a folder, its run.json, or a file of Google Benchmark (JSON), hyperfine (JSON), pytest-benchmark (JSON), Criterion
      (raw.csv) or go test -bench. What such a file does not tell of the machine is said, and nothing is normalised.

      EXAMPLES:
        assay compare Reports/monday Reports/friday
        assay compare old/run.json new/run.json --policy 3%
        assay compare old/run.json new/run.json --allow-missing     after a workload or an engine was taken out
        assay compare monday.json friday.json                       of hyperfine --export-json, say

      A slowdown beyond the policy is 1; runs that cannot be compared are 2, and so are runs of which one lacks something.

      \(Outcome.exitCodes)
      """)

  @Argument(help: "The earlier run: its folder or run.json, or another program's file.", completion: .file())
  var old: String

  @Argument(help: "The later run.", completion: .file())
  var new: String

  @Option(help: "The smallest change that counts (default: 5%).", transform: Percentage.init)
  var policy: Percentage?

  @Flag(help: "An improvement fails too: the baseline is stale.")
  var failOnImprovement = false

  @Flag(help: "Compare what both runs have, and only name the rest.")
  var allowMissing = false

  @OptionGroup var json: JSONOption
  @OptionGroup var colors: ColorOption

  func run() throws {
    try json.check()
    let (before, after) = (try TimesFile.read(old).times, try TimesFile.read(new).times)
    let comparison: BaselineComparison
    do throws(BaselineComparison.Refusal) {
      comparison = try BaselineComparison(old: before, new: after, policy: policy?.fraction ?? 0.05)
    } catch {
      for reason in error.reasons { Console.note("inconclusive: \(reason.printable)") }
      try json.write(Result(refusal: error))
      throw ExitCode(Outcome.inconclusive.exitCode)
    }
    for (name, ratio) in comparison.calibration.sorted(by: { $0.key < $1.key }) {
      Console.print("calibration \(name): \(Self.change(ratio))")
    }
    for difference in comparison.differences {
      Console.print("\(difference.name): \(difference.first) before, \(difference.second) now".printable)
    }
    for fact in comparison.unknown { Console.note("note: \(fact.printable)") }
    printTable(comparison)
    let slower = comparison.rows.count { $0.verdict == .slower }
    let faster = comparison.rows.count { $0.verdict == .faster }
    let unclear = comparison.rows.count { $0.verdict == .unclear }
    let outcome: Outcome =
      slower > 0 || (failOnImprovement && faster > 0)
      ? .fails : unclear > 0 || (!comparison.missing.isEmpty && !allowMissing) ? .inconclusive : .holds
    let summary =
      "\(comparison.rows.count) compared: \(slower) slower, \(faster) faster"
      + (unclear > 0 ? ", \(unclear) with too few blocks to tell" : "")
      + (comparison.missing.isEmpty ? "" : ", \(comparison.missing.count) missing from one run")
    Console.print(colors.color.painted(summary, as: outcome))
    for what in comparison.missing { Console.note("\(allowMissing ? "missing" : "inconclusive"): \(what.printable)") }
    try json.write(Result(comparison, outcome))
    try outcome.end()
  }

  /// What `--json` writes.
  private struct Result: Encodable {
    struct Row: Encodable {
      var benchmark, engine, verdict: String
      var oldNanoseconds, newNanoseconds, ratio: Double
      var ratioLower, ratioUpper: Double?
      var claimed: Bool
      var differences: [String]
    }

    var outcome: String
    var reasons: [String] = []
    var calibration: [String: Double] = [:]
    var rows: [Row] = []
    var differences: [String] = []
    var missing: [String] = []
    var unknown: [String] = []

    init(refusal: BaselineComparison.Refusal) {
      outcome = Outcome.inconclusive.rawValue
      reasons = refusal.reasons
    }

    init(_ comparison: BaselineComparison, _ outcome: Outcome) {
      self.outcome = outcome.rawValue
      calibration = comparison.calibration
      rows = comparison.rows.map { row in
        Row(
          benchmark: row.workload, engine: row.engine, verdict: row.verdict.rawValue,
          oldNanoseconds: row.oldNanoseconds,
          newNanoseconds: row.newNanoseconds, ratio: row.normalisedRatio, ratioLower: row.interval?.lowerBound,
          ratioUpper: row.interval?.upperBound, claimed: row.isClaimed,
          differences: row.differences.map(\.description))
      }
      differences = comparison.differences.map(\.description)
      (missing, unknown) = (comparison.missing, comparison.unknown)
    }
  }

  /// The times that changed, the worst first.
  private func printTable(_ comparison: BaselineComparison) {
    let changed = comparison.rows.filter { $0.verdict == .slower || $0.verdict == .faster }
    guard !changed.isEmpty else { return }
    // An engine's own version stands beside its times alone.
    let showsOwn = changed.contains { !$0.differences.isEmpty }
    // Three digits after the point of the shortest of them.
    let unit = TimeText.unit(of: changed.flatMap { [$0.oldNanoseconds, $0.newNanoseconds] })
    let sorted = changed.sorted { $0.normalisedRatio > $1.normalisedRatio }
    let rows = sorted.map { row in
      [
        row.label.printable, unit.text(row.oldNanoseconds), unit.text(row.newNanoseconds),
        Self.change(row.normalisedRatio),
        row.interval.map { "\(Self.change($0.lowerBound)) to \(Self.change($0.upperBound))" } ?? "none",
        row.verdict.rawValue,
      ] + (showsOwn ? [row.differences.map(\.description).joined(separator: "; ").printable] : [])
    }
    let headings = ["benchmark", "old \(unit.name)", "new \(unit.name)", "change", "interval", ""]
    let color = colors.color
    let table = TextTable(headings + (showsOwn ? ["what differs"] : []), rows)
    let text = table.text(painting: headings.count - 1) { row, verdict in
      sorted[row].verdict == .slower || failOnImprovement ? color.bad(verdict) : color.good(verdict)
    }
    Console.print(text, terminator: "")
  }

  private static func change(_ ratio: Double) -> String { String(format: "%+.1f %%", 100 * (ratio - 1)) }
}

/// The unit in which times of one table are written.
struct TimeText {
  let name: String
  private let nanoseconds: Double

  /// Milliseconds, unless the shortest of these would have no digits left.
  static func unit(of times: [Double]) -> TimeText {
    let shortest = times.min() ?? 1e6
    return shortest >= 1e4
      ? TimeText(name: "ms", nanoseconds: 1e6)
      : shortest >= 10 ? TimeText(name: "µs", nanoseconds: 1e3) : TimeText(name: "ns", nanoseconds: 1)
  }

  func text(_ time: Double) -> String { String(format: "%.3f", time / nanoseconds) }
}
