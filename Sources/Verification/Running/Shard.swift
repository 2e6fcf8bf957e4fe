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
      throw Invalid(description: "shard \(index + 1)/\(count): expected 1/n to n/n")
    }
    self.index = index
    self.count = count
  }

  /// `i/n`, i from 1.
  public init(_ text: String) throws(Invalid) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1] else {
      throw Invalid(description: "shard '\(text)': expected i/n such as 1/4")
    }
    try self.init(index: index - 1, count: count)
  }

  /// The shard of the environment, in the order Bazel, GoogleTest, GitLab, Slurm; `nil` where none of them is at work.
  /// - Throws: ``Invalid`` for half a pair, or numbers that name no shard.
  public static func inEnvironment(_ environment: [String: String]) throws(Invalid) -> Shard? {
    // GitLab counts from 1, a Slurm array from its own minimum.
    let minimum = environment["SLURM_ARRAY_TASK_MIN"].flatMap(Int.init) ?? 0
    let systems: [(index: String, total: String, first: Int)] = [
      ("TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", 0), ("GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS", 0),
      ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1), ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", minimum),
    ]
    for system in systems {
      let (index, total) = (environment[system.index], environment[system.total])
      if index == nil, total == nil { continue }
      // GitLab sets the total to 1 in every job, parallel or not.
      if index == nil, total == "1" { continue }
      guard let index, let total else {
        throw Invalid(
          description: "\(index == nil ? system.total : system.index) is set without "
            + "\(index == nil ? system.index : system.total): expected both or neither")
      }
      guard let number = Int(index), let count = Int(total) else {
        throw Invalid(description: "\(system.index)=\(index), \(system.total)=\(total): expected integers")
      }
      return try Shard(index: number - system.first, count: count)
    }
    return nil
  }

  /// Whether the case is this shard's.
  public func contains(_ name: String) -> Bool {
    Int(Self.hash(name) % UInt64(count)) == index
  }

  /// FNV-1a of the UTF-8 bytes, finalised so that the low bits are good too.
  static func hash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash ^= hash >> 32
    return hash
  }
}
