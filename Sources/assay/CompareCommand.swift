import ArgumentParser
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
      run has alone is named, and leaves the comparison undecided.

      EXAMPLES:
        assay compare Reports/monday Reports/friday
        assay compare old/run.json new/run.json --policy 3%
        assay compare old/run.json new/run.json --allow-missing     after a workload or an engine was taken out

      A slowdown beyond the policy is 1; runs that cannot be compared are 2, and so are runs of which one lacks something.

      \(Outcome.exitCodes)
      """)

  @Argument(help: "The earlier run: its folder or run.json.", completion: .file())
  var old: String

  @Argument(help: "The later run.", completion: .file())
  var new: String

  @Option(help: "The smallest change that counts (default: 5%).", transform: Percentage.init)
  var policy: Percentage?

  @Flag(help: "An improvement fails too: the baseline is stale.")
  var failOnImprovement = false

  @Flag(help: "Compare what both runs have, and only name the rest.")
  var allowMissing = false

  func run() throws {
    let (before, after) = (try ReportOutput.read(old), try ReportOutput.read(new))
    let comparison: BaselineComparison
    do throws(BaselineComparison.Refusal) {
      comparison = try BaselineComparison(old: before, new: after, policy: policy?.fraction ?? 0.05)
    } catch {
      for reason in error.reasons { Console.note("inconclusive: \(reason.printable)") }
      throw ExitCode(Outcome.inconclusive.exitCode)
    }
    for (name, ratio) in comparison.calibration.sorted(by: { $0.key < $1.key }) {
      Console.print("calibration \(name): \(String(format: "%+.1f %%", 100 * (ratio - 1)))")
    }
    let changed = comparison.rows.filter { $0.verdict == .slower || $0.verdict == .faster }
    let rows = changed.sorted { $0.normalisedRatio > $1.normalisedRatio }.map { row in
      [
        "\(row.workload) \(row.engine)\(row.isClaimed ? Trust.claimedMark : "")",
        String(format: "%.3f", row.oldNanoseconds * 1e-6),
        String(format: "%.3f", row.newNanoseconds * 1e-6), Self.change(row.normalisedRatio),
        row.interval.map { "\(Self.change($0.lowerBound)) to \(Self.change($0.upperBound))" } ?? "none",
        row.verdict.rawValue,
      ]
    }
    if !rows.isEmpty {
      let headings = ["benchmark", "old ms", "new ms", "change", "interval", ""]
      Console.print(TextTable(headings, rows).text, terminator: "")
    }
    let slower = comparison.rows.count { $0.verdict == .slower }
    let faster = comparison.rows.count { $0.verdict == .faster }
    let unclear = comparison.rows.count { $0.verdict == .unclear }
    Console.print(
      "\(comparison.rows.count) compared: \(slower) slower, \(faster) faster"
        + (unclear > 0 ? ", \(unclear) with too few blocks to tell" : "")
        + (comparison.missing.isEmpty ? "" : ", \(comparison.missing.count) missing from one run"))
    for what in comparison.missing { Console.note("\(allowMissing ? "missing" : "inconclusive"): \(what.printable)") }
    if slower > 0 || (failOnImprovement && faster > 0) { try Outcome.fails.end() }
    if unclear > 0 || (!comparison.missing.isEmpty && !allowMissing) { try Outcome.inconclusive.end() }
  }

  private static func change(_ ratio: Double) -> String { String(format: "%+.1f %%", 100 * (ratio - 1)) }
}
