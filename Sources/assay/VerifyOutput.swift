import ArgumentParser
import Foundation
import Reporting
import OperatingSystem
import Results

/// Where the results of `assay verify` go, and how they look.
struct VerifyOutput: ParsableArguments {
  @Option(help: "Write run.json, junit.xml and report.md to this folder.", completion: .directory)
  var out: String?

  @Option(help: "Write the run as JSON to this file.", completion: .file(extensions: ["json"]))
  var json: String?

  @Option(help: "Write JUnit XML to this file.", completion: .file(extensions: ["xml"]))
  var junit: String?

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Print every failure, and what is unsupported.")
  var verbose = false

  @Option(help: "Colours: auto, always or never.")
  var color: TerminalColor = .auto

  func validate() throws {
    if [out, json, junit].contains("") { throw ValidationError("--out, --json and --junit take a path.") }
  }

  /// - Throws: `ExitCode` 70 when a report cannot be written.
  func write(_ run: Run, environment: [String: String]) throws {
    do {
      let data = try RunFile.data(run)
      if let json { try AtomicFile.write(data, to: json) }
      if let verification = run.verification {
        let xml = JUnitReport.text(verification)
        // Bazel says where it looks for the results of a test.
        for path in [junit, environment["XML_OUTPUT_FILE"]].compactMap({ $0 }) where !path.isEmpty {
          try AtomicFile.write(xml, to: path)
        }
        if let out { try AtomicFile.write(xml, to: out + "/junit.xml") }
      }
      let markdown = MarkdownReport.text(run)
      if let out {
        try AtomicFile.write(data, to: out + "/run.json")
        try AtomicFile.write(markdown, to: out + "/report.md")
        ReportOutput.announce("\(out)/report.md")
      }
      if let summary = environment["GITHUB_STEP_SUMMARY"], !summary.isEmpty { append(markdown, to: summary) }
    } catch {
      Console.error("\(error)")
      throw ExitCode(70)
    }
  }

  /// Other steps may have written to the summary already.
  private func append(_ text: String, to path: String) {
    if let file = FileHandle(forWritingAtPath: path) {
      file.seekToEndOfFile()
      file.write(Data(text.utf8))
      try? file.close()
    } else {
      _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8))
    }
  }
}
