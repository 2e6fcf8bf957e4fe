import Engines
import Operations
import Problems
import Results
import Tensors
import Verification

/// What to fuzz, and how long.
public struct FuzzPlan: Sendable {
  public var engines: [any Engine]
  /// How the command line names an engine, where that is not its name alone.
  public var engineWords: [String: String] = [:]
  /// The words about engines that are not built in: a time-out, what they get of this process.
  public var foreignWords: [String] = []
  /// In the order in which they take turns.
  public private(set) var operations: [String] = []
  public private(set) var notDrawn: [String: String] = [:]
  public var dtypes: [DType]
  /// How many threads engines are asked with; `nil` for each engine's standard.
  public var threads: [Int]?
  /// What is judged of each case; `nil` for all of it.
  public var passes: Set<JudgedPass>?
  /// Whether problems are drawn that must be refused.
  public var asksRefusals = true
  public var seed: UInt64
  public var shard: Shard?
  /// Of each operation; `nil` where time decides.
  public var cases: Int?
  /// When no further case is begun; `nil` where the number of cases decides.
  public var seconds: Double?
  public var workers = 1
  /// What an earlier run with the same seed found, which this one goes on from.
  public var earlier: FuzzingSection?

  /// The seed that repeated runs share.
  public static let standardSeed: UInt64 = 20_261_126

  /// - Parameters:
  ///   - engines: those that are asked.
  ///   - operations: those that are asked for; all where there are none. What no engine offers is left out.
  ///   - dtypes: precisions, which the cases take in turn.
  ///   - seed: of all problems and operands.
  public init(
    engines: [any Engine], operations: Set<String> = [], dtypes: [DType] = [.float32, .float64],
    seed: UInt64 = standardSeed
  ) {
    self.engines = engines
    self.dtypes = dtypes
    self.seed = seed
    let offered = engines.reduce(into: Set<String>()) { all, engine in
      let own = engine.description.operations
      all.formUnion(own.isEmpty ? OperationRegistry.names : own)
    }
    for type in OperationRegistry.all where offered.contains(type.name) {
      guard operations.isEmpty || operations.contains(type.name) else { continue }
      switch type.problemDraw {
      case .some: self.operations.append(type.name)
      case .none(let reason): notDrawn[type.name] = reason
      }
    }
  }

  /// The operation and its number of a case by its position in the run; `nil` behind the last one.
  func place(_ position: Int) -> (operation: String, number: Int)? {
    guard !operations.isEmpty else { return nil }
    let (round, turn) = position.quotientAndRemainder(dividingBy: operations.count)
    let number = round * (shard?.count ?? 1) + (shard?.index ?? 0)
    if let cases, number >= cases { return nil }
    return (operations[turn], number)
  }

  /// How many positions there are; `nil` where time decides.
  var count: Int? {
    cases.map { cases in
      let (count, index) = (shard?.count ?? 1, shard?.index ?? 0)
      return operations.count * max(0, (cases - index + count - 1) / count)
    }
  }

  /// What makes an earlier run one of other problems, or of problems in another order; `nil` where this one can go on from it.
  public func difference(from section: FuzzingSection) -> String? {
    let mine = emptySection()
    if mine.seed != section.seed { return "seed" }
    if mine.dtypes != section.dtypes { return "--dtype" }
    if mine.shard != section.shard { return "--shard" }
    if mine.threads != section.threads { return "--threads" }
    if mine.passes != section.passes { return "--pass" }
    if mine.withoutRefusals != section.withoutRefusals { return "--no-refusals" }
    if mine.engines != section.engines { return "engine" }
    return mine.turns != section.turns ? "choice of operations" : nil
  }

  /// An empty record of such a run.
  func emptySection() -> FuzzingSection {
    var section = FuzzingSection(
      engines: engines.map {
        EngineRecord(
          name: $0.description.name, version: $0.description.version, isBuiltIn: $0.description.isBuiltIn,
          command: engineWords[$0.description.name])
      }, seed: seed, dtypes: dtypes.map(\.rawValue))
    section.threads = threads
    section.passes = passes.map(JudgedPass.names)
    section.withoutRefusals = asksRefusals ? nil : true
    section.shard = shard?.record
    section.casesPerOperation = cases
    section.turns = operations
    section.notDrawn = notDrawn
    return section
  }
}
