import Foundation
import TestSupport

/// One run of the built command.
struct CommandRun {
  let exitCode: Int32
  let output: String
  let errors: String

  /// - Parameter environment: added to this process's, whose shard variables are taken out.
  init(_ arguments: [String], in folder: URL = Repository.root, environment: [String: String] = [:]) throws {
    self = try CommandRun(RunningCommand(arguments, in: folder, environment: environment))
  }

  /// What a running command ends with.
  init(_ command: RunningCommand) throws {
    exitCode = command.exitCode()
    output = try command.output
    errors = try command.errors
  }

  /// One run that gets a signal as soon as `isReady` holds.
  init(
    interrupting arguments: [String], by signal: Int32, once isReady: (RunningCommand) throws -> Bool
  ) throws {
    let command = try RunningCommand(arguments)
    try command.wait(until: { try isReady(command) })
    command.send(signal)
    self = try CommandRun(command)
  }
}
