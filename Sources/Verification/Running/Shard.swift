import Foundation
import Results

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
  init(number: Int, first: Int, step: Int = 1, count: Int, _ text: String) throws(Invalid) {
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

  /// In a run's record.
  public var record: ShardRecord { ShardRecord(index: index, count: count) }

  /// This shard's part of these pieces, in their order.
  /// - Parameters:
  ///   - pieces: all that are to be spread.
  ///   - key: a name that no two have.
  ///   - cost: of each, in any unit; what costs nothing counts as the least that anything costs.
  public func part<Piece>(of pieces: [Piece], key: (Piece) -> String, cost: (Piece) -> Double) -> [Piece] {
    zip(pieces, assignment(pieces.map(key), costs: pieces.map(cost))).filter(\.1).map(\.0)
  }

  /// Which of these are this shard's: each goes to the shard that has the least work so far, the costliest first, so that one
  /// costly case does not find itself beside others. Every shard comes to the same assignment, whatever the order.
  /// - Returns: one answer for each.
  package func assignment(_ names: [String], costs: [Double]) -> [Bool] {
    guard count > 1 else { return names.map { _ in true } }
    let least = costs.filter { $0 > 0 && $0.isFinite }.min() ?? 1
    let known = zip(names, costs).map { (name: $0, hash: Self.hash($0), cost: $1.isFinite ? max($1, least) : least) }
    let order = known.indices.sorted { a, b in
      (known[b].cost, known[a].hash, known[a].name) < (known[a].cost, known[b].hash, known[b].name)
    }
    var loads = [Double](repeating: 0, count: count)
    var isMine = [Bool](repeating: false, count: names.count)
    for place in order {
      // The first of the least loaded: the same on every machine, since sums are made in the same order.
      let target = loads.indices.min { loads[$0] < loads[$1] } ?? 0
      loads[target] += known[place].cost
      isMine[place] = target == index
    }
    return isMine
  }

  /// FNV-1a of the UTF-8 bytes, finalised so that the low bits are good too.
  package static func hash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash ^= hash >> 32
    return hash
  }
}
