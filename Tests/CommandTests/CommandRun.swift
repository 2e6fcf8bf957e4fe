import Foundation
import TestSupport

/// One run of the built command.
struct CommandRun {
  let exitCode: Int32
  let output: String
  let errors: String

  /// - Parameter environment: added to this process's, whose shard variables are taken out.
  init(_ arguments: [String], in folder: URL = Repository.root, environment: [String: String] = [:]) throws {
    let process = Process()
    process.executableURL = Repository.command
    process.arguments = arguments
    process.currentDirectoryURL = folder
    let sharding = ["TEST_", "GTEST_", "CI_NODE", "SLURM_", "GITHUB_STEP", "XML_OUTPUT"]
    process.environment = ProcessInfo.processInfo.environment
      .filter { entry in !sharding.contains { entry.key.hasPrefix($0) } }
      .merging(environment) { _, new in new }
    // Files, since a pipe that nobody drains while waiting would block the command.
    let logs = try TemporaryDirectory()
    for name in ["out", "err"] { _ = FileManager.default.createFile(atPath: logs.file(name).path, contents: nil) }
    process.standardOutput = try FileHandle(forWritingTo: logs.file("out"))
    process.standardError = try FileHandle(forWritingTo: logs.file("err"))
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    exitCode = process.terminationStatus
    output = try String(contentsOf: logs.file("out"), encoding: .utf8)
    errors = try String(contentsOf: logs.file("err"), encoding: .utf8)
  }
}
