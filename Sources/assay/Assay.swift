import ArgumentParser
import Convolution
import Foundation
import Results

/// The command: parses arguments, calls the modules below, maps outcomes to the documented exit codes.
@main
struct Assay: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "assay",
    abstract: "Verify and time numerical kernels for the layers of residual networks.",
    discussion: """
      A failure ends with the command that repeats it.

      \(Resources.help)

      \(Outcome.exitCodes)
      """,
    version: version,
    subcommands: [
      VerifyCommand.self, FuzzCommand.self, GradcheckCommand.self, SelftestCommand.self, GoldenCommand.self,
      GoldenProbeCommand.self, NetworkFileProbeCommand.self,
      EngineCommand.self, HostCommand.self, ModelCommand.self, TrainCommand.self, EvaluateCommand.self,
      BenchCommand.self, DuetCommand.self, CompareCommand.self, HistoryCommand.self, ReportCommand.self,
      MachineCommand.self, TuneCommand.self, BoundCommand.self,
      MergeCommand.self, GateSimulationCommand.self, OverheadCommand.self,
    ])

  static func main() async {
    Console.claimDescriptors()
    // A pipe that its reader closed, or an engine that died, is an error of one write, not the end of this process.
    signal(SIGPIPE, SIG_IGN)
    BazelTest()?.noteBeginning()
    let outcome = await Interruption.run { try await parseAndRun() }
    switch outcome {
    case .success: end(.holds)
    case .failure(let error): finish(error)
    }
  }

  /// An error of the words that were given, which the argument parser knows how to explain.
  private struct ParsingFailure: Error {
    let reason: any Error
  }

  /// What a command made of words that it could read refuses.
  private struct Refusal: Error {
    let reason: ValidationError
    let command: any ParsableCommand.Type
  }

  private static func parseAndRun() async throws {
    let words = JSONOption.completed(Array(CommandLine.arguments.dropFirst()))
    if JSONOption.claimsOutput(words) { Console.claimOutput() }
    if let unknown = UnknownCommand.refusal(words, of: Self.self) {
      throw Refusal(reason: unknown.reason, command: unknown.command)
    }
    var command: any ParsableCommand
    do { command = try parseAsRoot(words) } catch {
      throw ParsingFailure(reason: error)
    }
    // Said once and before any work, whichever command it is: the kernels of every strategy go by it. The parser's own
    // commands, such as help, need none.
    if isOwn(type(of: command), of: configuration.subcommands) {
      do throws(ConvolutionError) { _ = try InstructionSet.selected() } catch {
        throw ValidationError("ASSAY_ISA: \("\(error)".printable)")
      }
    }
    do {
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let error as ValidationError {
      throw Refusal(reason: error, command: type(of: command))
    }
  }

  private static func isOwn(_ type: any ParsableCommand.Type, of commands: [any ParsableCommand.Type]) -> Bool {
    commands.contains { $0 == type || isOwn(type, of: $0.configuration.subcommands) }
  }

  /// 64 for words that a command refuses; its own exit code; and what any other error amounts to.
  private static func finish(_ error: any Error) -> Never {
    if let failure = error as? ParsingFailure {
      BazelTest()?.noteEnd(.badData)
      exit(withError: failure.reason)
    }
    if let refusal = error as? Refusal {
      BazelTest()?.noteEnd(.badData)
      Console.note("Error: \(refusal.reason.message)\nUsage: \(usageString(for: refusal.command))")
      Foundation.exit(ExitCode.validationFailure.rawValue)
    }
    // Words that were refused: nothing was done, so no other outcome is worse.
    if error is CleanExit || error is ValidationError || exitCode(for: error) == .validationFailure {
      BazelTest()?.noteEnd(.badData)
      exit(withError: error)
    }
    if let code = error as? ExitCode { end(Outcome(exitCode: code.rawValue)) }
    // Help is asked for by an error of the parser's own, which only the parser can tell from others.
    if exitCode(for: error) == .success { exit(withError: error) }
    let outcome = Outcome(error)
    Console.error(outcome == .internalError ? "internal: \(error)" : "\(error)")
    end(outcome)
  }

  /// The one end of every command that did something.
  private static func end(_ outcome: Outcome) -> Never {
    let whole = outcome.afterPrinting
    BazelTest()?.noteEnd(whole)
    Foundation.exit(whole.exitCode)
  }
}
