import ArgumentParser
import Foundation
import OperatingSystem
import Reporting
import Results

/// Where a run's record and reports go. The one writer of every command that makes a run.
struct ReportOutput {
  /// A file beside the folder's.
  struct File {
    /// As the command line or the environment gave it.
    var path: String
    var content: (Run) throws -> Data
  }

  /// Of `--out`: every report goes there.
  private let folder: String?
  private let files: [File]
  private let extras: (Run) throws -> [ReportFolder.File]
  private let view: ReportView
  private let environment: [String: String]

  /// - Parameters:
  ///   - junit: of `--junit`; where Bazel looks for a test's results is written too.
  ///   - files: of other options.
  ///   - extras: files of the command's own for the folder.
  ///   - view: what the page shows first.
  init(
    folder: String?, junit: String? = nil, files: [File] = [],
    extras: @escaping (Run) throws -> [ReportFolder.File] = { _ in [] }, view: ReportView = ReportView(),
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.folder = folder ?? BazelTest(environment)?.outputs
    let reports = [junit, environment["XML_OUTPUT_FILE"]].compactMap { $0 }.filter { !$0.isEmpty }
    self.files = files + reports.map { path in File(path: path) { Data(JUnitReport.text($0).utf8) } }
    self.extras = extras
    self.view = view
    self.environment = environment
  }

  /// Other steps of a GitHub workflow may have written to the summary already.
  private var summary: String? { environment["GITHUB_STEP_SUMMARY"].flatMap { $0.isEmpty ? nil : $0 } }

  /// Whether this run is one of several that `make run` joins: the whole one says where its report is, and what is in it.
  static var isPart: Bool { ProcessInfo.processInfo.environment["ASSAY_PART"] == "1" }

  /// Finds out before any work begins whether every file can be written, and keeps other runs out of the folder until this one
  /// ends.
  /// - Throws: ``AtomicFile/Failure`` (exit 74).
  func check() throws(AtomicFile.Failure) {
    if let folder {
      try AtomicFile.check("\(folder)/run.json")
      try FolderLock.hold(folder)
    }
    for file in files where file.path != JSONOption.output { try AtomicFile.check(file.path) }
  }

  /// Writes what was asked for; a file that cannot be written keeps none of the others back.
  /// - Returns: ``Outcome/holds``, or ``Outcome/notWritten`` after saying which files are missing.
  func write(_ run: Run) throws -> Outcome {
    var failures: [AtomicFile.Failure] = []
    for file in files {
      let data = try file.content(run)
      do throws(AtomicFile.Failure) { try JSONOption.write(data, to: file.path) } catch { failures.append(error) }
    }
    if let folder {
      let missing = try ReportFolder.write(run, to: folder, view: view, extras: extras(run))
      if missing.isEmpty, !Self.isPart { Console.print("report: \(folder)/report.html") }
      failures += missing
    }
    if let summary, !Self.isPart {
      do throws(AtomicFile.Failure) { try AtomicFile.append(MarkdownReport.text(run), to: summary) } catch {
        failures.append(error)
      }
    }
    for failure in failures { Console.error("\(failure)") }
    return failures.isEmpty ? .holds : .notWritten
  }

  /// Writes the record of a run that goes on: of the folder's files `run.json` alone.
  /// - Throws: ``AtomicFile/Failure`` (exit 74).
  func save(_ run: Run) throws {
    if let folder { try ReportFolder.save(run, to: folder) }
  }

  /// The end of a command that made a run: its files, then its exit code.
  func end(_ run: Run) throws { try Outcome.worse(run.conclusion.outcome, write(run)).end() }

  /// A run from a file, or from the folder that holds its `run.json`.
  /// - Throws: ``RunFile/Invalid`` (exit 65) when there is no run.
  static func read(_ path: String) throws(RunFile.Invalid) -> Run {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard exists else { throw RunFile.Invalid("\(path): expected a run, found nothing") }
    return try RunFile.read(isFolder.boolValue ? "\(path)/run.json" : path)
  }

  /// - Throws: `ExitCode` 74 when a file cannot be written.
  static func write(_ run: Run, to folder: String) throws { try ReportOutput(folder: folder).write(run).end() }
}
