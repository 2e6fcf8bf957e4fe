import ArgumentParser
import Foundation
import Results
import Verification

/// Which part of the work is this machine's: the same options in every command that many machines may share.
struct ShardOptions: ParsableArguments {
  @Option(
    help: """
      Only part i of n, i from 1; without it the variables of Bazel, GoogleTest, GitLab, Slurm, Buildkite, CircleCI, Semaphore, \
      Bitbucket, Kubernetes and AWS Batch, in this order.
      """)
  var shard: String?

  @Option(
    help: ArgumentHelp(
      "How many parts there are, 1 to 1000000, where the environment does not tell: in Kubernetes and AWS Batch.",
      valueName: "n"))
  var shards: Int?

  func validate() throws {
    try OptionRange.require(shards, "--shards", in: OptionRange.shards)
    if shard != nil, shards != nil { throw ValidationError("--shard i/n has the number of parts: leave --shards out.") }
  }

  /// - Throws: `ValidationError` for what names no part.
  func chosen(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws -> Shard? {
    do throws(Shard.Invalid) {
      if let shard { return try Shard(shard) }
      return try Shard.inEnvironment(environment, total: shards)
    } catch { throw ValidationError(error.description) }
  }
}

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

  /// Begins to count; called once, when a command begins to work.
  func begin(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
    guard let seconds = deadline ?? BazelTest(environment)?.deadline else { return }
    Interruption.stop(after: seconds)
  }
}

extension Shard {
  var record: ShardRecord { ShardRecord(index: index, count: count) }
}
