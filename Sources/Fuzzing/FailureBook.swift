import Operations
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
    /// Of the cases that fail so, by this run and by the one that it goes on from.
    var positions: [Int]
    var earlier = 0
    /// In the order in which they were found.
    let order: Int
    /// Elements of the smallest problem.
    var size = 0

    /// The same failure in two forms, told by the smaller one.
    func joined(_ other: Entry, _ ground: CommonGround?) -> Entry {
      var joined = size <= other.size ? self : other
      joined.failing = failing + other.failing
      joined.passing = passing + other.passing
      joined.positions = positions + other.positions
      joined.earlier = earlier + other.earlier
      joined.ground = ground
      return joined
    }
  }

  private(set) var entries: [Subject: [Entry]] = [:]
  /// What the run that this one goes on from found. What is left of it is a record: it explains no new failure, but is told together
  /// with one that turns out to be the same.
  private var carried: [Subject: [Entry]] = [:]
  /// Failures of further kinds than are listed, by their positions.
  private(set) var unlisted: [Int] = []
  private var found = 0
  /// What passes, as far as it is kept.
  private var passing: [Subject: [ProblemTraits]] = [:]

  /// What is shrunk of one operation of one engine: who fails everywhere need not be told it a hundred times.
  private static let mostShrunk = 6
  /// What is listed of it: one of each further kind, as it was drawn.
  private static let mostEntries = 32
  private static let keptTraits = 4_000
  /// Of so many that fail, one more may pass where two forms are still taken for one failure.
  private static let hiding = 3

  mutating func pass(_ traits: ProblemTraits, _ subject: Subject) {
    if passing[subject, default: []].count < Self.keptTraits { passing[subject, default: []].append(traits) }
  }

  /// What becomes of a failure.
  enum Note {
    /// It is one of those that are known.
    case known
    /// It is listed as it is, at this place.
    case listed(Int)
    /// The entry waits for what shrinking finds.
    case new(Int)
  }

  /// - Parameters:
  ///   - subject: who failed at what.
  ///   - kind: how.
  ///   - traits: the case's.
  ///   - position: the case's in the run.
  mutating func note(_ subject: Subject, _ kind: FailureKind, _ traits: ProblemTraits, at position: Int) -> Note {
    let known = entries[subject, default: []]
    let alike = known.indices.filter { known[$0].kind.isMet(by: kind) }
    // One that is being shrunk may explain this one, or not: nobody knows yet.
    let explaining = alike.first { known[$0].record == nil || known[$0].ground.map { $0.holds(of: traits) } ?? true }
    let isShrunk = known.count < Self.mostShrunk
    if let index = explaining ?? (isShrunk ? nil : alike.last) {
      entries[subject]?[index].positions.append(position)
      if known[index].failing.count < Self.keptTraits { entries[subject]?[index].failing.append(traits) }
      return .known
    }
    guard known.count < Self.mostEntries else {
      unlisted.append(position)
      return .known
    }
    found += 1
    entries[subject, default: []].append(Entry(kind: kind, failing: [traits], positions: [position], order: found))
    return isShrunk ? .new(known.count) : .listed(known.count)
  }

  /// Takes over what an earlier run found.
  mutating func carry(_ record: FuzzFailure) {
    var entry = Entry(kind: FailureKind(record.result), record: record, failing: [], positions: [], order: 0)
    entry.earlier = record.count - (record.unsettled ?? 0)
    entry.size = (try? Problem.parse(record.problem))?.elementCount ?? .max
    carried[Subject(engine: record.engine, operation: record.operation), default: []].append(entry)
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
    // That what was refused is valid where it computes says nothing of what fails when it is computed.
    let computes = entry.failing.allSatisfy { !$0.isInvalid }
    let others = (passing[subject] ?? []).filter { !(computes && $0.isInvalid) }
    return CommonGround(failing: entry.failing, passing: entry.passing + others)
  }

  /// Entries that are wrong in one place and end in one problem, or that one condition tells from all that passes, are one.
  private func joined(_ entries: [Entry], _ subject: Subject) -> [Entry] {
    var found: [Entry] = []
    for entry in entries where entry.record != nil {
      let place = found.firstIndex { other in
        guard other.kind.sharesPlace(with: entry.kind) else { return false }
        if other.record?.problem == entry.record?.problem || other.record?.name == entry.record?.name { return true }
        // A record alone is no evidence.
        guard !other.failing.isEmpty, !entry.failing.isEmpty else { return false }
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

  /// All that are listed, in the order in which they were found, with what is known of them by now.
  /// - Parameter settled: cases from this position on will be judged again by a run that goes on.
  func records(settled: Int) -> [FuzzFailure] {
    Set(entries.keys).union(carried.keys).flatMap { subject in
      joined((carried[subject] ?? []) + (entries[subject] ?? []), subject).compactMap { entry -> Told? in
        guard var record = entry.record else { return nil }
        let unsettled = entry.positions.count { $0 >= settled }
        record.count = entry.earlier + entry.positions.count
        record.unsettled = unsettled > 0 ? unsettled : nil
        // Of what an earlier run found alone nothing new is known.
        if !entry.failing.isEmpty { record.common = ground(of: entry, subject)?.description }
        return Told(order: entry.order, subject: subject, record: record)
      }
    }.sorted().map(\.record)
  }

  /// A record in its place.
  private struct Told: Comparable {
    let order: Int
    let subject: Subject
    let record: FuzzFailure

    private var key: (Int, String, String, String) { (order, subject.engine, subject.operation, record.name) }

    static func < (first: Told, second: Told) -> Bool { first.key < second.key }
    static func == (first: Told, second: Told) -> Bool { first.key == second.key }
  }
}
