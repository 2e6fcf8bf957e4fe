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
