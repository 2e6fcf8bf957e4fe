import ArgumentParser
import Results

extension Outcome {
  /// EXIT CODES of every command's help: one text, so that no two commands say different things.
  static let exitCodes = """
    EXIT CODES, the same in every command: 0 holds, 1 fails (numbers wrong, a regression), 2 nothing was decided (interrupted,
    holes, too noisy, an engine that could not be started, no case: try again), 64 usage, 65 bad data, 70 internal, 74 an
    output could not be written. When several apply: 70 > 65 > 74 > 1 > 2 > 0.
    """

  /// How every command ends: it returns where everything holds, and throws its exit code otherwise.
  func end() throws {
    if self != .holds { throw ExitCode(exitCode) }
  }
}
