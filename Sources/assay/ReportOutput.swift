import ArgumentParser
import Foundation
import Reporting
import Results

/// Writes every report of a run and says where.
enum ReportOutput {
  /// Whether this run is one of several that `make run` joins: the whole one says where its report is, and what is in it.
  static var isPart: Bool { ProcessInfo.processInfo.environment["ASSAY_PART"] == "1" }

  static func announce(_ path: String) {
    if !isPart { Console.print("report: \(path)") }
  }

  /// - Throws: `ExitCode` 70 when a file cannot be written.
  static func write(_ run: Run, to folder: String) throws {
    do {
      let names = try ReportFolder.write(run, to: folder)
      announce("\(folder)/\(names.contains("report.html") ? "report.html" : "report.md")")
      if let summary = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"], !summary.isEmpty {
        try append(MarkdownReport.text(run), to: summary)
      }
    } catch { throw EngineLookup.failure("\(error)", code: 70) }
  }

  /// Other steps may have written to the summary already.
  private static func append(_ text: String, to path: String) throws {
    if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    defer { try? file.close() }
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
  }

  /// A run from a file, or from the folder that holds its `run.json`.
  /// - Throws: `ExitCode` 65 when it is none.
  static func read(_ path: String) throws -> Run {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard exists else { throw EngineLookup.failure("\(path): expected a run, found nothing", code: 65) }
    do throws(RunFile.Invalid) { return try RunFile.read(isFolder.boolValue ? "\(path)/run.json" : path) } catch {
      throw EngineLookup.failure("\(error)", code: 65)
    }
  }
}
