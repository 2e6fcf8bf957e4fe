/// How systems that run one command on many machines tell each which part is its own.
enum ShardSystem: CaseIterable {
  case bazel, googleTest, gitLab, slurm, buildkite, circleCI, semaphore, bitbucket, kubernetes, awsBatch

  /// The variables that it sets.
  struct Variables {
    var index: String
    /// `nil` where it does not tell how many there are.
    var total: String?
    /// What the first machine has.
    var first = 0
    var firstVariable: String?
    var stepVariable: String?
    /// Without it the others mean something else.
    var marker: String?
  }

  var variables: Variables {
    switch self {
    case .bazel: Variables(index: "TEST_SHARD_INDEX", total: "TEST_TOTAL_SHARDS")
    case .googleTest: Variables(index: "GTEST_SHARD_INDEX", total: "GTEST_TOTAL_SHARDS")
    case .gitLab: Variables(index: "CI_NODE_INDEX", total: "CI_NODE_TOTAL", first: 1, marker: "GITLAB_CI")
    case .slurm:
      Variables(
        index: "SLURM_ARRAY_TASK_ID", total: "SLURM_ARRAY_TASK_COUNT", firstVariable: "SLURM_ARRAY_TASK_MIN",
        stepVariable: "SLURM_ARRAY_TASK_STEP")
    case .buildkite: Variables(index: "BUILDKITE_PARALLEL_JOB", total: "BUILDKITE_PARALLEL_JOB_COUNT")
    case .circleCI: Variables(index: "CIRCLE_NODE_INDEX", total: "CIRCLE_NODE_TOTAL")
    case .semaphore: Variables(index: "SEMAPHORE_JOB_INDEX", total: "SEMAPHORE_JOB_COUNT", first: 1)
    case .bitbucket: Variables(index: "BITBUCKET_PARALLEL_STEP", total: "BITBUCKET_PARALLEL_STEP_COUNT")
    case .kubernetes: Variables(index: "JOB_COMPLETION_INDEX", total: nil)
    case .awsBatch: Variables(index: "AWS_BATCH_JOB_ARRAY_INDEX", total: nil)
    }
  }
}

extension Shard {
  /// The shard of the environment, of the first system in the order of `ShardSystem` that is at work; `nil` where none is. One
  /// that says "one of one" is passed over: some set that in every job.
  /// - Parameters:
  ///   - environment: the process's variables.
  ///   - total: how many shards there are, in words of the command line. Kubernetes and AWS Batch do not tell.
  /// - Throws: ``Invalid`` for half a pair, or numbers that name no shard.
  public static func inEnvironment(_ environment: [String: String], total: Int? = nil) throws(Invalid) -> Shard? {
    func integer(_ name: String?, default value: Int) throws(Invalid) -> Int {
      guard let name, let text = environment[name] else { return value }
      guard let number = Int(text) else { throw Invalid(description: "\(name)=\(text): expected an integer") }
      return number
    }
    for system in ShardSystem.allCases {
      let names = system.variables
      if let marker = names.marker, environment[marker] == nil { continue }
      let hasIndex = environment[names.index] != nil
      let hasTotal = names.total.map { environment[$0] != nil } ?? (hasIndex && total != nil)
      if !hasIndex, !hasTotal { continue }
      let count = try names.total == nil ? total ?? 0 : integer(names.total, default: 0)
      // GitLab sets the total to 1 in every job, parallel or not.
      if !hasIndex, count == 1 { continue }
      guard hasIndex, hasTotal else {
        guard let other = names.total else {
          throw Invalid(
            description: "\(names.index) is set, which does not tell of how many: give --shards n, or --shard 1/1 for "
              + "all")
        }
        throw Invalid(
          description: "\(hasIndex ? names.index : other) is set without \(hasIndex ? other : names.index): "
            + "expected both or neither")
      }
      let number = try integer(names.index, default: 0)
      let text = "\(names.index)=\(number), \(names.total ?? "--shards")=\(count)"
      if let total, total != count {
        throw Invalid(description: "\(text): expected \(total) shards, as --shards says")
      }
      let shard = try Shard(
        number: number, first: try integer(names.firstVariable, default: names.first),
        step: try integer(names.stepVariable, default: 1), count: count, text)
      if shard.count == 1 { continue }
      return shard
    }
    if let total, total != 1 {
      throw Invalid(
        description: "--shards \(total) without a variable that tells which of them this is: give --shard i/\(total)")
    }
    return nil
  }
}
