import Problems
import Results

/// The failures of one run by kind: what is seen for the first time is shrunk, what is known is counted.
struct FailureBook: Sendable {
  /// Who failed at what.
  struct Subject: Hashable, Sendable {
    let engine: String
    let operation: String
  }

  /// Failures alike that one condition explains.
  struct Entry: Sendable {
    let kind: FailureKind
    /// `nil` while it is being shrunk.
    var record: FuzzFailure?
    var failing: [ProblemTraits]
    /// Evidence from shrinking.
    var passing: [ProblemTraits] = []
    var ground: CommonGround?
    var count = 1
    /// In the order in which they were found.
    let order: Int
    /// Elements of the smallest problem.
    var size = 0

    /// The same failure in two forms, told by the smaller one.
    func joined(_ other: Entry, _ ground: CommonGround?) -> Entry {
      var joined = size <= other.size ? self : other
      joined.failing = failing + other.failing
      joined.passing = passing + other.passing
      joined.count = count + other.count
      joined.ground = ground
      return joined
    }
  }

  private(set) var entries: [Subject: [Entry]] = [:]
  private var found = 0
  /// What passes, as far as it is kept.
  private var passing: [Subject: [ProblemTraits]] = [:]

  /// What is shrunk of one operation of one engine: who fails everywhere need not be told it a hundred times.
  private static let mostEntries = 6
  private static let keptTraits = 4_000
  /// Of so many that fail, one more may pass where two forms are still taken for one failure.
  private static let hiding = 3

  mutating func pass(_ traits: ProblemTraits, _ subject: Subject) {
    if passing[subject, default: []].count < Self.keptTraits { passing[subject, default: []].append(traits) }
  }

  /// - Returns: the entry that waits for what shrinking finds; `nil` where the failure is one of those that are known.
  mutating func note(_ subject: Subject, _ kind: FailureKind, _ traits: ProblemTraits) -> Int? {
    let known = entries[subject, default: []]
    let alike = known.indices.filter { known[$0].kind.isMet(by: kind) }
    // One that is being shrunk may explain this one, or not: nobody knows yet.
    let explaining = alike.first { known[$0].record == nil || known[$0].ground.map { $0.holds(of: traits) } ?? true }
    let last = known.count >= Self.mostEntries ? alike.last ?? known.count - 1 : nil
    if let index = explaining ?? last {
      entries[subject]?[index].count += 1
      if known[index].failing.count < Self.keptTraits { entries[subject]?[index].failing.append(traits) }
      return nil
    }
    found += 1
    entries[subject, default: []].append(Entry(kind: kind, failing: [traits], order: found))
    return known.count
  }

  /// Fills an entry in.
  mutating func fill(_ subject: Subject, _ index: Int, _ record: FuzzFailure, _ outcome: Shrinker.Outcome) {
    guard var entry = entries[subject]?[index] else { return }
    entry.record = record
    entry.failing += outcome.failing
    entry.passing = outcome.passing
    entry.size = outcome.smallest.drawn.problem.elementCount
    entry.ground = ground(of: entry, subject)
    entries[subject]?[index] = entry
  }

  private func ground(of entry: Entry, _ subject: Subject) -> CommonGround? {
    CommonGround(failing: entry.failing, passing: entry.passing + (passing[subject] ?? []))
  }

  /// Entries that are alike and end in one problem, or that one condition tells from all that passes, are one.
  private func joined(_ entries: [Entry], _ subject: Subject) -> [Entry] {
    var found: [Entry] = []
    for entry in entries where entry.record != nil {
      let place = found.firstIndex { other in
        guard other.kind.isMet(by: entry.kind) else { return false }
        if other.record?.problem == entry.record?.problem { return true }
        let both = other.joined(entry, nil)
        // Some operands hide what is wrong.
        return ground(of: both, subject).map { ground in
          !ground.conditions.isEmpty && ground.exceptions * Self.hiding <= both.failing.count
        } ?? false
      }
      guard let place else {
        found.append(entry)
        continue
      }
      let both = found[place].joined(entry, nil)
      found[place] = found[place].joined(entry, ground(of: both, subject))
    }
    return found
  }

  /// All that are shrunk, in the order in which they were found, with what is known of them by now.
  var records: [FuzzFailure] {
    entries.flatMap { subject, entries in
      joined(entries, subject).compactMap { entry -> (Int, FuzzFailure)? in
        guard var record = entry.record else { return nil }
        record.count = entry.count
        record.common = ground(of: entry, subject)?.description
        return (entry.order, record)
      }
    }.sorted { $0.0 < $1.0 }.map(\.1)
  }
}
