import Foundation
import TestSupport

/// The built command while it runs.
final class RunningCommand {
  private let process = Process()
  /// Its stdout and stderr: files, since a pipe that nobody drains would block the command.
  private let logs: TemporaryDirectory

  /// - Parameters:
  ///   - program: the command, or a shell that runs it.
  ///   - environment: added to this process's, whose shard variables are taken out.
  init(
    _ arguments: [String], of program: URL = Repository.command, in folder: URL = Repository.root,
    environment: [String: String] = [:]
  ) throws {
    logs = try TemporaryDirectory()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder
    let sharding = ["TEST_", "GTEST_", "CI_NODE", "SLURM_", "GITHUB_STEP", "XML_OUTPUT"]
    process.environment = ProcessInfo.processInfo.environment
      .filter { entry in !sharding.contains { entry.key.hasPrefix($0) } }
      .merging(environment) { _, new in new }
    for name in ["out", "err"] { _ = FileManager.default.createFile(atPath: logs.file(name).path, contents: nil) }
    process.standardOutput = try FileHandle(forWritingTo: logs.file("out"))
    process.standardError = try FileHandle(forWritingTo: logs.file("err"))
    process.standardInput = FileHandle.nullDevice
    try process.run()
  }

  var output: String { get throws { try String(contentsOf: logs.file("out"), encoding: .utf8) } }
  var errors: String { get throws { try String(contentsOf: logs.file("err"), encoding: .utf8) } }

  /// Waits until `isReady` holds, or the command has ended.
  func wait(until isReady: () throws -> Bool) rethrows {
    while process.isRunning, try !isReady() { Thread.sleep(forTimeInterval: 0.01) }
  }

  func send(_ signal: Int32) {
    if process.isRunning { kill(process.processIdentifier, signal) }
  }

  /// Waits for its end.
  func exitCode() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }
}
