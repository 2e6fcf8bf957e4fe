import ArgumentParser
import Foundation

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make every report of a run again from its run.json.",
    discussion: """
      EXAMPLES:
        assay report Reports/mine
        assay report Reports/mine/run.json --out /tmp/again --open
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
    try ReportOutput.write(record, to: folder)
    guard open else { return }
    let opener = Process()
    opener.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    #if os(macOS)
      opener.arguments = ["open", "\(folder)/report.html"]
    #else
      opener.arguments = ["xdg-open", "\(folder)/report.html"]
    #endif
    do { try opener.run() } catch { throw EngineLookup.failure("report.html cannot be opened: \(error)", code: 70) }
  }
}
