import Foundation
import OperatingSystem

/// One run of a program to its end: of the built command, of a shell, of a tool.
public struct CommandRun: Sendable {
  /// As a shell has it: 128 and the signal's number where one ended it.
  public let exitCode: Int32
  public let output: String
  public let errors: String

  /// - Parameter environment: added to this process's, whose shard variables are taken out.
  public init(
    _ arguments: [String], of program: String = Repository.command.path(percentEncoded: false),
    in folder: URL = Repository.root, environment: [String: String] = [:], input: [UInt8]? = nil
  ) throws {
    self.init(try RunningCommand(arguments, of: program, in: folder, environment: environment, input: input))
  }

  /// A line of bash.
  public init(shell line: String, in folder: URL = Repository.root, environment: [String: String] = [:]) throws {
    self.init(try RunningCommand(shell: line, in: folder, environment: environment))
  }

  /// What a running program ends with.
  public init(_ command: RunningCommand) {
    exitCode =
      switch command.ending() {
      case .exited(let code)?: code
      case .signalled(let signal)?: 128 + signal
      case nil: -1
      }
    output = command.output
    errors = command.errors
  }

  /// One run that gets a signal as soon as `isReady` holds.
  public init(
    interrupting arguments: [String], by signal: Int32, once isReady: (RunningCommand) throws -> Bool
  ) throws {
    let command = try RunningCommand(arguments)
    try command.wait(until: { try isReady(command) })
    command.send(signal)
    self.init(command)
  }
}
