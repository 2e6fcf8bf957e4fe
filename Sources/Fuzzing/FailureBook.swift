import Problems
import Results

/// The failures of one run by kind: what is seen for the first time is shrunk, what is known is counted.
struct FailureBook: Sendable {
  /// Who failed, and how.
  struct Kind: Hashable, Sendable {
    let engine: String
    let operation: String
    let failure: FailureKind
  }

  /// Failures that one condition explains.
  struct Entry: Sendable {
    /// `nil` while it is being shrunk.
    var record: FuzzFailure?
    var failing: [ProblemTraits]
    /// Evidence from shrinking.
    var passing: [ProblemTraits] = []
    var ground: CommonGround?
    var count = 1
    /// In the order in which they were found.
    let order: Int
  }

  private(set) var entries: [Kind: [Entry]] = [:]
  private var found = 0
  /// By engine and operation: what passes, as far as it is kept.
  private var passing: [String: [ProblemTraits]] = [:]

  /// Kinds that look alike but for what causes them.
  private static let mostCauses = 4
  private static let keptTraits = 4_000

  private static func key(_ engine: String, _ operation: String) -> String { "\(engine)/\(operation)" }

  mutating func pass(_ traits: ProblemTraits, engine: String, operation: String) {
    let key = Self.key(engine, operation)
    if passing[key, default: []].count < Self.keptTraits { passing[key, default: []].append(traits) }
  }

  /// - Returns: the entry that waits for what shrinking finds; `nil` where the failure is one of those that are known.
  mutating func note(_ kind: Kind, _ traits: ProblemTraits) -> Int? {
    let known = entries[kind, default: []]
    // One that is being shrunk may explain this one, or not: nobody knows yet.
    let explaining = known.firstIndex { $0.record == nil || $0.ground.map { $0.holds(of: traits) } ?? true }
    if let index = explaining ?? (known.count >= Self.mostCauses ? known.count - 1 : nil) {
      entries[kind]?[index].count += 1
      if known[index].failing.count < Self.keptTraits { entries[kind]?[index].failing.append(traits) }
      return nil
    }
    found += 1
    entries[kind, default: []].append(Entry(failing: [traits], order: found))
    return known.count
  }

  /// Fills an entry in.
  mutating func fill(_ kind: Kind, _ index: Int, _ record: FuzzFailure, _ outcome: Shrinker.Outcome) {
    guard var entry = entries[kind]?[index] else { return }
    entry.record = record
    entry.failing += outcome.failing
    entry.passing = outcome.passing
    entry.ground = ground(of: entry, kind)
    entries[kind]?[index] = entry
  }

  private func ground(of entry: Entry, _ kind: Kind) -> CommonGround? {
    CommonGround(
      failing: entry.failing,
      passing: entry.passing + (passing[Self.key(kind.engine, kind.operation)] ?? []))
  }

  /// All that are shrunk, in the order in which they were found, with what is known of them by now.
  var records: [FuzzFailure] {
    entries.flatMap { kind, entries in
      entries.compactMap { entry -> (Int, FuzzFailure)? in
        guard var record = entry.record else { return nil }
        record.count = entry.count
        record.common = ground(of: entry, kind)?.description
        return (entry.order, record)
      }
    }.sorted { $0.0 < $1.0 }.map(\.1)
  }
}
