import ArgumentParser
import Benchmarking
import Engines
import GoldenFiles
import OperatingSystem
import Problems
import Operations
import Reporting
import Results
import RunAnalysis
import Verification

extension Outcome {
  /// EXIT CODES of every command's help: one text, so that no two commands say different things.
  static let exitCodes = """
    EXIT CODES, the same in every command: 0 holds, 1 fails (numbers wrong, a regression), 2 nothing was decided (interrupted,
    holes, too noisy, an engine that could not be started, no case: try again), 64 usage, 65 bad data, 70 internal, 74 an
    output could not be written. When several apply: 70 > 65 > 74 > 1 > 2 > 0.
    """

  /// What an error that ends a command amounts to: the one mapping from errors to exit codes.
  init(_ error: any Error) {
    self =
      switch error {
      case is AtomicFile.Failure: .notWritten
      case let error as GoldenFileError where error.kind == .cannotWrite: .notWritten
      case let error as EngineCatalog.Failure where error.kind == .engine: .inconclusive
      case TrainingError.stopped: .inconclusive
      case is EngineError, is DuetRunner.Failure, TrainingError.diverged, Validation.Failure.notFinite: .fails
      case is Resources.Missing, is RunFile.Invalid, is RunMerge.Refusal, is BenchmarkSuite.Invalid,
        is KnownFailures.Malformed,
        is EngineCatalog.Failure, is GoldenFileError, is ProblemError, is TrainingError, is Validation.Failure,
        is StateDictMismatch:
        .badData
      default: .internalError
      }
  }

  /// - Parameter exitCode: of a command. Refused words (64) are data from outside that is wrong; anything but a documented code,
  ///   a signal's for instance, is a defect.
  init(exitCode: Int32) {
    self = exitCode == 64 ? .badData : Outcome.allCases.first { $0.exitCode == exitCode } ?? .internalError
  }

  /// Says on stderr why a command ends so.
  /// - Returns: what the caller throws.
  func ending(_ reason: String) -> ExitCode {
    Console.error(reason)
    return ExitCode(exitCode)
  }

  /// This, or worse: what was printed must have reached its reader too. Asked for at the end of every command, interrupted or
  /// not, when all is printed.
  var afterPrinting: Outcome {
    guard let reason = Console.failure else { return self }
    Console.error("stdout: cannot be written: \(reason)")
    return Outcome.worse(self, .notWritten)
  }

  /// How every command ends: it returns where everything holds, and throws its exit code otherwise.
  func end() throws {
    if self != .holds { throw ExitCode(exitCode) }
  }
}
