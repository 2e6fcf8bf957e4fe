/// What fuzzing found: the section `fuzzing` of a run.
public struct FuzzingSection: Codable, Sendable {
  /// The engines that were asked, in order.
  public var engines: [EngineRecord]
  /// What all problems and operands were drawn from.
  public var seed: UInt64
  /// The precisions that were asked for, in turn.
  public var dtypes: [String]
  /// The numbers of threads that were asked for. Absent where each engine's standard was.
  public var threads: [Int]?
  /// What alone was judged of each case (`--pass`). Absent where all of it was.
  public var passes: [String]?
  /// Whether no problem was drawn that must be refused (`--no-refusals`). Absent where such were.
  public var withoutRefusals: Bool?
  public var shard: ShardRecord?
  /// How many cases of each operation were asked for. Absent where time decided.
  public var casesPerOperation: Int?
  /// Every case before this one is judged: where a run that goes on begins.
  public var next = 0
  /// The operations that take turns, in order: none where one case was asked for. Absent in runs of earlier versions.
  public var turns: [String]?
  /// Of several shards that were merged: how many there were. Absent in others.
  public var mergedShards: Int?
  /// What was drawn of each operation, in the order in which they took turns.
  public var operations: [FuzzedOperation] = []
  /// How the cases ended.
  public var tallies: [FuzzTally] = []
  /// One for each kind of failure.
  public var failures: [FuzzFailure] = []
  /// Failures of further kinds, which are counted alone. Absent where there is none.
  public var unlisted: Int?
  /// Operations of which nothing is drawn, and why.
  public var notDrawn: [String: String] = [:]
  /// Cases that this program itself could not make: its own defects.
  public var defects: [String] = []
  /// Stopped by a signal before all was done.
  public var interrupted = false
  public var seconds = 0.0

  public init(engines: [EngineRecord], seed: UInt64, dtypes: [String]) {
    self.engines = engines
    self.seed = seed
    self.dtypes = dtypes
  }

  /// Judged: one for each case and engine.
  public var resultCount: Int { tallies.reduce(0) { $0 + $1.results } }
  public var caseCount: Int { operations.reduce(0) { $0 + $1.cases } }
  /// Operations whose turn never came.
  public var withoutTurn: [String] {
    let drawn = Set(operations.filter { $0.cases > 0 }.map(\.operation))
    return (turns ?? []).filter { !drawn.contains($0) }
  }

  /// Cases that were asked for and are not done: time was over, or a signal came.
  public var casesNotDone: Int {
    guard let casesPerOperation, let turns else { return 0 }
    let shards = mergedShards == nil ? shard?.count ?? 1 : 1
    let first = mergedShards == nil ? shard?.index ?? 0 : 0
    let own = max(0, (casesPerOperation - first + shards - 1) / shards)
    return max(0, own * turns.count - caseCount - defects.count)
  }
  /// How many results ended so.
  public func count(_ status: VerificationStatus) -> Int { tallies.reduce(0) { $0 + $1[status] } }
}

/// How the cases of one operation ended for one engine.
public struct FuzzTally: Codable, Sendable, Hashable {
  public var engine: String
  public var operation: String
  /// By status.
  public var counts: [String: Int] = [:]
  /// Elements that were compared.
  public var elements = 0
  /// The largest error over bound of all that pass.
  public var worstRatio = 0.0

  public init(engine: String, operation: String) {
    self.engine = engine
    self.operation = operation
  }

  public subscript(status: VerificationStatus) -> Int {
    get { counts[status.rawValue] ?? 0 }
    set { counts[status.rawValue] = newValue }
  }

  public var results: Int { counts.values.reduce(0, +) }
  /// Whether nothing was computed, as it is with an operation that the engine does not have.
  public var isUnsupported: Bool { results > 0 && self[.unsupported] == results }

  /// Adds what another part of the same run found.
  public mutating func add(_ other: FuzzTally) {
    counts.merge(other.counts, uniquingKeysWith: +)
    elements += other.elements
    worstRatio = max(worstRatio, other.worstRatio)
  }
}

/// What was drawn of one operation.
public struct FuzzedOperation: Codable, Sendable, Hashable {
  public var operation: String
  public var cases = 0
  /// Problems that have to be refused, among the cases.
  public var invalid = 0
  /// Attributes, extents, kinds of operands, precisions and passes, with how often each value or class was drawn: 0 for one that
  /// never was.
  public var drawn: [FuzzedChoice] = []
  /// Of the pairs of values of any two attributes, those that were drawn together.
  public var pairs: [String] = []
  /// How many such pairs there are.
  public var possiblePairs = 0

  public init(operation: String) { self.operation = operation }

  /// Adds what another part of the same run drew.
  public mutating func add(_ other: FuzzedOperation) {
    cases += other.cases
    invalid += other.invalid
    for choice in other.drawn {
      if let index = drawn.firstIndex(where: { $0.name == choice.name }) {
        drawn[index].counts.merge(choice.counts, uniquingKeysWith: +)
      } else {
        drawn.append(choice)
      }
    }
    pairs = Set(pairs).union(other.pairs).sorted()
    possiblePairs = max(possiblePairs, other.possiblePairs)
  }

  /// `W: 64k−1` for each class or value that was never drawn.
  public var neverDrawn: [String] {
    drawn.flatMap { choice in
      choice.counts.filter { $0.value == 0 }.keys.sorted().map { "\(choice.name): \($0)" }
    }
  }
}

/// How often each value of an attribute, or each class of an extent, was drawn.
public struct FuzzedChoice: Codable, Sendable, Hashable {
  public var name: String
  public var counts: [String: Int]

  public init(name: String, counts: [String: Int]) {
    self.name = name
    self.counts = counts
  }
}

/// A kind of failure: the first case that showed it, shrunk, and how many more did.
public struct FuzzFailure: Codable, Sendable {
  public var engine: String
  public var dtype: String
  public var operation: String
  /// The first case that failed so, such as `fuzz/relu/17`.
  public var name: String
  /// Its problem, in one line.
  public var drawn: String
  /// The smallest problem that was found to fail likewise.
  public var problem: String
  /// The operands of it: `random@123,x=ones`.
  public var data: String
  /// How many cases failed so.
  public var count = 1
  /// Of them, those that a run that goes on judges again. Absent where there is none.
  public var unsettled: Int?
  /// How many problems were tried to shrink it; 0 where it is as it was drawn.
  public var trials = 0
  /// What the failing problems have in common and the others have not.
  public var common: String?
  /// How the smallest ends.
  public var result: CaseResult
  /// The golden file that holds it. Absent where none was asked for.
  public var file: String?

  public init(
    engine: String, dtype: String, operation: String, name: String, drawn: String, problem: String, data: String,
    result: CaseResult
  ) {
    self.engine = engine
    self.dtype = dtype
    self.operation = operation
    self.name = name
    self.drawn = drawn
    self.problem = problem
    self.data = data
    self.result = result
  }
}
