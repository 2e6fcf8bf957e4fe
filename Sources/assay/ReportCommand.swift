import ArgumentParser
import Foundation
import OperatingSystem
import Results

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make every report of a run again from its run.json.",
    discussion: """
      Prints the outcome of the run first, computed again from its records, and ends with its exit code.

      EXAMPLES:
        assay report Reports/mine
        assay report Reports/mine/run.json --out /tmp/again --open

      \(Outcome.exitCodes)
      """)

  @Argument(help: "A run's folder, or its run.json.", completion: .file())
  var record: String

  @Option(help: "Write to this folder (default: the run's).", completion: .directory)
  var out: String?

  @Flag(help: "Open report.html.")
  var open = false

  func run() throws {
    let record = try ReportOutput.read(self.record)
    let folder =
      out
      ?? (self.record.hasSuffix(".json")
        ? URL(fileURLWithPath: self.record).deletingLastPathComponent().path : self.record)
    let output = ReportOutput(folder: folder)
    try output.check()
    RunVerdict.print(record)
    let written = try output.write(record)
    if open { show("\(folder)/report.html") }
    try Outcome.worse(record.conclusion.outcome, written).end()
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
