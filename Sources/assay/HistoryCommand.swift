import ArgumentParser
import Foundation
import Problems
import Reporting
import Results
import RunAnalysis

struct HistoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "The times of every benchmark over a folder of runs, and where they changed.",
    discussion: """
      Runs are keyed by CPU, cores, instruction set, system, compiler and flags; a change point is where the distribution of
      medians changed (E-divisive, permutation test at 5 %). A merged run and the parts beside it count once.

      EXAMPLES:
        assay history Reports
        assay history Reports --filter '*k64r3s3*' --out Reports/history

      No run with a benchmark, or none that matches, is 2.

      \(Outcome.exitCodes)
      """)

  @Argument(help: "A folder that holds runs, at any depth.", completion: .directory)
  var directory: String

  @Option(help: "Only benchmarks whose name matches this glob ('=NAME': a name as it is). May be repeated.")
  var filter: [String] = []

  @Option(help: "Write run.json and report.html with the plots to this folder.", completion: .directory)
  var out: String?

  func run() throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: directory, isDirectory: &isFolder), isFolder.boolValue else {
      throw Outcome.badData.ending("\(directory): expected a folder of runs")
    }
    var runs: [(name: String, run: Run)] = []
    var skipped: [String] = []
    let names = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
    for name in names.sorted() where name == "run.json" || name.hasSuffix("/run.json") {
      do throws(RunFile.Invalid) {
        let run = try RunFile.read("\(directory)/\(name)")
        if run.benchmark != nil { runs.append((name, run)) }
      } catch { skipped.append("\(error)") }
    }
    for reason in skipped { Console.note("skipped: \(reason.printable)") }
    for (name, run) in runs where run.benchmark?.isDoubtful == true {
      Console.note("in doubt: \(name.printable): \((run.benchmark?.doubts ?? []).joined(separator: "; ").printable)")
    }
    guard !runs.isEmpty else {
      throw Outcome.inconclusive.ending("\(directory): expected runs with benchmarks, found none")
    }
    let section = BenchmarkHistory.section(
      directory: directory, runs: runs, skipped: skipped, filters: filter.map { NamePattern($0) })
    guard !section.series.isEmpty else { throw Outcome.inconclusive.ending("no benchmark has a time and matches") }
    var changes = 0
    for series in section.series {
      for position in series.changePoints {
        changes += 1
        let point = series.points[position]
        let before = OrderStatistics.median(series.points[..<position].map(\.nanoseconds)) ?? 0
        let after = OrderStatistics.median(series.points[position...].map(\.nanoseconds)) ?? 0
        Console.print(
          "\("\(series.benchmark) \(series.engine)".printable): \(String(format: "%+.1f %%", 100 * (after / before - 1))) at \(point.run.printable), "
            + "\(point.started), commit \(point.commit.map { String($0.prefix(12)) } ?? "unknown")")
      }
    }
    let counted = Set(section.series.flatMap(\.points).map(\.run)).count
    Console.print("\(counted) runs, \(section.series.count) series, \(changes) change points")
    guard let out else { return }
    var run = Run(provenance: .current(seed: ChangePoints().seed))
    run.history = section
    try ReportOutput.write(run, to: out)
  }
}
