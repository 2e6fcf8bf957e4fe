import Foundation
import OperatingSystem
import Results

/// What Bazel tells a test by its environment, and what it wants to find afterwards.
///
/// - Source: the test encyclopedia, bazel.build/reference/test-encyclopedia.
struct BazelTest {
  private let environment: [String: String]

  /// - Returns: `nil` where this is no test of Bazel's.
  init?(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
    guard environment["TEST_TARGET"] != nil || environment["TEST_SRCDIR"] != nil else { return nil }
    self.environment = environment
  }

  private subscript(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// Of `--test_filter`.
  var filter: String? { self["TESTBRIDGE_TEST_ONLY"] }
  /// Where files of the test are kept: the run's folder, where no other is named.
  var outputs: String? { self["TEST_UNDECLARED_OUTPUTS_DIR"] }
  /// Another one for each of `--runs_per_test`.
  var seed: UInt64? { self["TEST_RANDOM_SEED"].flatMap { UInt64($0) } }

  /// Before Bazel kills the test, with time for the reports.
  var deadline: Double? {
    guard let seconds = self["TEST_TIMEOUT"].flatMap({ Double($0) }), seconds > 0, seconds.isFinite else { return nil }
    return seconds * 0.9
  }

  /// Tells that the test understands sharding.
  func acknowledgeShards() {
    guard let path = self["TEST_SHARD_STATUS_FILE"] else { return }
    _ = FileManager.default.createFile(atPath: path, contents: nil)
  }

  /// A file that is there as long as the test may not end: left behind, it shows one that ended in the middle.
  func noteBeginning() {
    guard let path = self["TEST_PREMATURE_EXIT_FILE"] else { return }
    _ = FileManager.default.createFile(atPath: path, contents: nil)
  }

  /// Takes that file away, and says when the machine and not the test is to blame.
  func noteEnd(_ outcome: Outcome) {
    if let path = self["TEST_PREMATURE_EXIT_FILE"] { _ = try? FileManager.default.removeItem(atPath: path) }
    guard outcome == .notWritten || outcome == .internalError, let path = self["TEST_INFRASTRUCTURE_FAILURE_FILE"]
    else { return }
    try? AtomicFile.write("assay: \(outcome.words) (exit code \(outcome.exitCode))\n", to: path)
  }
}
