import ArgumentParser
import Foundation
import OperatingSystem
import Reporting
import Results
import RunAnalysis

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make every report of a run again from its run.json.",
    discussion: """
      Prints the outcome of the run first, computed again from its records, and ends with its exit code.

      The report says what changed since the latest earlier run of the same kind that lies beside this one: of the same suite,
      machine, system, compiler and precision. `--against` names another. What changed is advice and changes no exit code.

      EXAMPLES:
        assay report Reports/mine
        assay report Reports/mine/run.json --out /tmp/again --open
        assay report Reports/mine --engine winograd4          that engine's view: where it loses how much to the best
        assay report Reports/friday --against Reports/monday    what changed since

      \(Outcome.exitCodes)
      """)

  @Argument(help: "A run's folder, or its run.json.", completion: .file())
  var record: String

  @Option(help: "Write to this folder (default: the run's).", completion: .directory)
  var out: String?

  @Option(help: "Open this engine's view of a benchmark, with all its layers.")
  var engine: String?

  @Option(
    help: "Say what changed since this run: its folder or run.json (default: the latest earlier one beside it).",
    completion: .file())
  var against: String?

  @Flag(help: "Open report.html.")
  var open = false

  @OptionGroup var colors: ColorOption

  func run() throws {
    var record = try ReportOutput.read(self.record)
    try check(record)
    if let against {
      record.changes = RunChanges.record(since: try ReportOutput.read(against), at: against, in: record)
    } else if record.changes == nil, let earlier = EarlierRun.beside(self.record, of: record) {
      record.changes = RunChanges.record(since: earlier.run, at: earlier.path, in: record)
    }
    let folder =
      out
      ?? (self.record.hasSuffix(".json")
        ? URL(fileURLWithPath: self.record).deletingLastPathComponent().path : self.record)
    let output = ReportOutput(folder: folder, view: ReportView(engine: engine))
    try output.check()
    RunVerdict.print(record, color: colors.color)
    if let changes = record.changes { Console.print(ChangesText.summary(changes)) }
    let written = try output.write(record)
    if open { show("\(folder)/report.html") }
    try Outcome.worse(record.conclusion.outcome, written).end()
  }

  /// - Throws: a usage error for an engine that the run does not have.
  private func check(_ record: Run) throws {
    guard let engine else { return }
    let names = (record.benchmark?.engines ?? []).map(\.name)
    guard names.contains(engine) else {
      throw ValidationError(
        names.isEmpty
          ? "--engine \(engine): expected a run with a benchmark, found none in \(self.record)."
          : "--engine \(engine): expected one of \(names.joined(separator: ", ")).")
    }
  }

  /// Opens the page with the desktop's own program; where there is none, a message says so.
  private func show(_ page: String) {
    #if os(macOS)
      let opener = "open"
    #else
      let opener = "xdg-open"
    #endif
    do throws(ChildProcess.Failure) { try ChildProcess.launch(opener, [page]) } catch {
      Console.note("\(page) cannot be opened: \(error)")
    }
  }
}
