import ArgumentParser
import Foundation

/// How long a command may go on, in every command that takes long.
struct DeadlineOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Stop cleanly after so many seconds, as after Ctrl-C: what is done is kept, and the exit code is 2. At most 2678400 \
      (default: none; of a Bazel test nine tenths of TEST_TIMEOUT).
      """, valueName: "seconds"))
  var deadline: Double?

  /// A month: what is longer is a slip of the finger.
  private static let longest = 2_678_400.0

  func validate() throws {
    guard let deadline, !(deadline > 0 && deadline <= Self.longest) else { return }
    throw ValidationError("--deadline: expected seconds above 0 and at most 2678400 (a month), found \(deadline).")
  }

  /// What was asked for, or what a test of Bazel's has.
  func seconds(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> Double? {
    deadline ?? BazelTest(environment)?.deadline
  }

  /// Begins to count; called once, when a command begins to work.
  func begin(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
    if let seconds = seconds(environment) { Interruption.stop(after: seconds) }
  }
}
