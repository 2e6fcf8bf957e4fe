import Foundation

/// One machine's part of the cases, spread by a hash of their names that never changes.
public struct Shard: Sendable, Hashable {
  /// From 0.
  public let index: Int
  public let count: Int

  /// A request that names no shard.
  public struct Invalid: Error, CustomStringConvertible, Hashable {
    public let description: String
  }

  public init(index: Int, count: Int) throws(Invalid) {
    guard count >= 1, index >= 0, index < count else {
      throw Invalid(description: "shard \(index) of \(count), counted from 0: expected 0 to n − 1 of n")
    }
    self.index = index
    self.count = count
  }

  /// - Parameters:
  ///   - number: counted from `first`, in steps.
  private init(number: Int, first: Int, step: Int = 1, count: Int, _ text: String) throws(Invalid) {
    let (offset, overflow) = number.subtractingReportingOverflow(first)
    guard !overflow, step >= 1, offset % step == 0, (0..<max(count, 0)).contains(offset / step) else {
      throw Invalid(
        description: "\(text): expected \(count) shards from \(first)\(step == 1 ? "" : " in steps of \(step)")")
    }
    try self.init(index: offset / step, count: count)
  }

  /// `i/n`, i from 1.
  public init(_ text: String) throws(Invalid) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1], (1...max(count, 1)).contains(index), count >= 1
    else { throw Invalid(description: "shard '\(text)': expected i/n from 1/n to n/n, such as 1/4") }
    try self.init(index: index - 1, count: count)
  }

  /// The shard of the environment, in the order Bazel, GoogleTest, GitLab, Slurm; `nil` where none of them is at work.
  /// - Throws: ``Invalid`` for half a pair, or numbers that name no shard.
  public static func inEnvironment(_ environment: [String: String]) throws(Invalid) -> Shard? {
    func integer(_ name: String, default value: Int) throws(Invalid) -> Int {
      guard let text = environment[name] else { return value }
      guard let number = Int(text) else { throw Invalid(description: "\(name)=\(text): expected an integer") }
      return number
    }
    // GitLab counts from 1, a Slurm array from its own minimum in its own steps.
    let systems: [(index: String, total: String, first: (name: String, otherwise: Int)?, step: String?)] = [
      ("TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", nil, nil), ("GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS", nil, nil),
      ("CI_NODE_INDEX", "CI_NODE_TOTAL", ("", 1), nil),
      ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", ("SLURM_ARRAY_TASK_MIN", 0), "SLURM_ARRAY_TASK_STEP"),
    ]
    for system in systems {
      let (index, total) = (environment[system.index], environment[system.total])
      if index == nil, total == nil { continue }
      // GitLab sets the total to 1 in every job, parallel or not.
      if index == nil, total == "1" { continue }
      guard index != nil, total != nil else {
        throw Invalid(
          description: "\(index == nil ? system.total : system.index) is set without "
            + "\(index == nil ? system.index : system.total): expected both or neither")
      }
      let number = try integer(system.index, default: 0)
      let count = try integer(system.total, default: 0)
      let first = try system.first.map { name, otherwise throws(Invalid) in try integer(name, default: otherwise) } ?? 0
      let step = try system.step.map { name throws(Invalid) in try integer(name, default: 1) } ?? 1
      return try Shard(
        number: number, first: first, step: step, count: count, "\(system.index)=\(number), \(system.total)=\(count)")
    }
    return nil
  }

  /// Whether the case is this shard's.
  public func contains(_ name: String) -> Bool {
    Int(Self.hash(name) % UInt64(count)) == index
  }

  /// FNV-1a of the UTF-8 bytes, finalised so that the low bits are good too.
  package static func hash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash ^= hash >> 32
    return hash
  }
}
