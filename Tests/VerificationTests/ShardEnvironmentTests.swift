import Testing
import Verification

@Suite("Which part of the work is this machine's")
struct ShardEnvironmentTests {
  /// One system's variables on the second of four machines.
  struct System: Sendable, CustomTestStringConvertible {
    var name: String
    var index: String
    var total: String?
    /// What the second machine has.
    var second = "1"
    var others: [String: String] = [:]
    var testDescription: String { name }

    var environment: [String: String] {
      others.merging([index: second]) { $1 }.merging(total.map { [$0: "4"] } ?? [:]) { $1 }
    }
  }

  /// In the order in which they are asked.
  static let systems = [
    System(name: "Bazel", index: "TEST_SHARD_INDEX", total: "TEST_TOTAL_SHARDS"),
    System(name: "GoogleTest", index: "GTEST_SHARD_INDEX", total: "GTEST_TOTAL_SHARDS"),
    System(
      name: "GitLab", index: "CI_NODE_INDEX", total: "CI_NODE_TOTAL", second: "2", others: ["GITLAB_CI": "true"]),
    System(
      name: "Slurm", index: "SLURM_ARRAY_TASK_ID", total: "SLURM_ARRAY_TASK_COUNT", second: "13",
      others: ["SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_STEP": "3", "SLURM_ARRAY_TASK_MAX": "19"]),
    System(name: "Buildkite", index: "BUILDKITE_PARALLEL_JOB", total: "BUILDKITE_PARALLEL_JOB_COUNT"),
    System(name: "CircleCI", index: "CIRCLE_NODE_INDEX", total: "CIRCLE_NODE_TOTAL"),
    System(name: "Semaphore", index: "SEMAPHORE_JOB_INDEX", total: "SEMAPHORE_JOB_COUNT", second: "2"),
    System(name: "Bitbucket", index: "BITBUCKET_PARALLEL_STEP", total: "BITBUCKET_PARALLEL_STEP_COUNT"),
    System(name: "Kubernetes", index: "JOB_COMPLETION_INDEX", total: nil),
    System(name: "AWS Batch", index: "AWS_BATCH_JOB_ARRAY_INDEX", total: nil),
  ]

  private static func shards(of system: System) -> Int? { system.total == nil ? 4 : nil }

  @Test("Each system's variables name the second of four", arguments: systems)
  func second(system: System) throws {
    let found = try Shard.inEnvironment(system.environment, total: Self.shards(of: system))
    #expect(try found == Shard(index: 1, count: 4))
  }

  @Test("Half a pair is an error that names the other half", arguments: systems)
  func half(system: System) throws {
    var environment = system.environment
    for name in [system.index, system.total].compactMap({ $0 }) {
      environment = system.environment
      environment[name == system.index ? system.total ?? "" : system.index] = nil
      let error = #expect(throws: Shard.Invalid.self) { try Shard.inEnvironment(environment) }
      #expect(error?.description.contains(name) == true)
      if system.total == nil { #expect(error?.description.contains("--shards") == true) }
    }
  }

  @Test("A number beyond the last is an error", arguments: systems)
  func beyond(system: System) {
    for number in ["-1", "100", "9223372036854775807", "two", ""] {
      let environment = system.environment.merging([system.index: number]) { $1 }
      #expect(throws: Shard.Invalid.self, "\(number)") {
        try Shard.inEnvironment(environment, total: Self.shards(of: system))
      }
    }
  }

  @Test("The earlier system is asked, and another number of shards than --shards is an error")
  func precedence() throws {
    for (place, system) in Self.systems.enumerated().dropLast() where system.total != nil {
      var environment = system.environment
      for later in Self.systems[(place + 1)...] {
        for (name, value) in later.environment {
          environment[name] = name == later.index || name == later.total ? "0" : value
        }
      }
      #expect(try Shard.inEnvironment(environment) == Shard(index: 1, count: 4), "\(system.name)")
      #expect(throws: Shard.Invalid.self) { try Shard.inEnvironment(system.environment, total: 5) }
    }
  }

  @Test("One of one is no shard, GitLab's numbers are nobody's without it, and --shards needs an index")
  func whole() throws {
    #expect(try Shard.inEnvironment([:]) == nil)
    #expect(try Shard.inEnvironment(["CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "1"]) == nil)
    #expect(try Shard.inEnvironment(["GITLAB_CI": "true", "CI_NODE_TOTAL": "1"]) == nil)
    #expect(try Shard.inEnvironment(["CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "4"]) == nil)
    let both = ["CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "1", "JOB_COMPLETION_INDEX": "2"]
    #expect(throws: Shard.Invalid.self) { try Shard.inEnvironment(both) }
    #expect(throws: Shard.Invalid.self) { try Shard.inEnvironment([:], total: 4) }
    #expect(try Shard.inEnvironment([:], total: 1) == nil)
  }

  @Test("Every piece is in one shard, and no shard has much more work than another")
  func assignment() throws {
    let names = (0..<300).map { "/conv2d/case\($0)" }
    var costs = names.indices.map { 1 + Double($0 % 7) }
    // One network that costs as much as a third of all.
    costs[17] = costs.reduce(0, +) / 2
    for count in [1, 2, 3, 7] {
      let parts = try (0..<count).map { try Shard(index: $0, count: count).assignment(names, costs: costs) }
      for place in names.indices { #expect(parts.count { $0[place] } == 1) }
      let loads = parts.map { part in zip(part, costs).filter(\.0).reduce(0) { $0 + $1.1 } }
      let fair = costs.reduce(0, +) / Double(count)
      #expect((loads.max() ?? 0) <= max(fair * 1.05, costs[17]), "\(count): \(loads)")
      // The order of the list is no part of it.
      let reversed = try Shard(index: 0, count: count).assignment(names.reversed(), costs: costs.reversed())
      #expect(Array(reversed.reversed()) == parts[0])
    }
    let odd = try Shard(index: 0, count: 2).assignment(["a", "b", "c"], costs: [.nan, .infinity, -1])
    #expect(odd.contains(true))
  }
}
