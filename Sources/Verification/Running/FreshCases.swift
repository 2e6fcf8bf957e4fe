import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

/// Cases that no file holds, so that an engine cannot know their answers: problems that each operation's definition draws from a
/// seed, with operands from it, too, held against the reference in float64, forward and backward.
///
/// A case depends on the seed and its own name alone: it can be repeated without the others.
public struct FreshCases: Sendable {
  /// What stands for a file in the record.
  public static let file = FileRecord.freshPath
  /// The tag of all of them; the first of each operation are `smoke`, too.
  public static let tag = "fresh"
  /// How many of each operation engines get that are not built in.
  public static let standardCount = 20
  /// The seed that repeated runs share, so that a verdict does not change by chance.
  public static let standardSeed = Calibration.standardSeed
  private static let smokeCount = 2

  public let count: Int
  public let seed: UInt64
  /// By operation; those of which nothing is drawn are missing.
  private let draws: [String: ProblemDraw]

  /// - Parameters:
  ///   - count: of each operation.
  ///   - seed: of all problems and operands.
  ///   - operations: those that cases are made of.
  public init(count: Int, seed: UInt64 = standardSeed, operations: Set<String> = OperationRegistry.names) {
    self.count = count
    self.seed = seed
    draws = operations.reduce(into: [:]) { all, name in
      all[name] = OperationRegistry.type(named: name)?.problemDraw.value
    }
  }

  /// Operations whose definitions draw no problems.
  public static let withoutProblems: [String] = OperationRegistry.all.filter { $0.problemDraw.value == nil }.map {
    $0.name
  }
  .sorted()

  /// Whether a glob of a file's cases is about a fresh case as well: `conv2d/*` about `fresh/conv2d/3`.
  static func isMeant(_ name: String, by pattern: NamePattern) -> Bool {
    let prefix = file + "/"
    return name.hasPrefix(prefix) && pattern.isGlob && pattern.matches(String(name.dropFirst(prefix.count)))
  }

  /// In the order of a file's cases: by the bytes of their names.
  package var summaries: [GoldenCaseSummary] {
    let indices = (0..<count).map { "\($0)" }.sorted()
    return draws.keys.sorted().flatMap { operation in
      indices.map { index in
        let isSmoke = Int(index).map { $0 < Self.smokeCount } ?? false
        return GoldenCaseSummary(
          name: "\(Self.file)/\(operation)/\(index)", operation: operation, fill: .random,
          tags: isSmoke ? [Self.tag, "smoke"] : [Self.tag])
      }
    }
  }

  var record: FileRecord {
    FileRecord(
      path: Self.file, caseCount: draws.count * count,
      generator: "assay fresh, seed \(seed), \(count) an operation", oracleDtype: DType.float64.rawValue)
  }

  /// What is drawn and what is not, in a line.
  public var summary: String {
    let missing = Self.withoutProblems.joined(separator: ", ")
    return "fresh cases: \(count) of each operation, seed \(seed); none of \(missing), of which no problems are drawn"
  }

  /// Whether a run of these decides what the entries of a file of known failures say of fresh cases.
  var isStandard: Bool { seed == Self.standardSeed && count >= Self.standardCount }

  /// The case of that name.
  /// - Throws: ``Engines/EngineError`` where the reference does not compute it: a mistake of this program.
  package func golden(_ summary: GoldenCaseSummary) throws(EngineError) -> GoldenCase {
    guard let draw = draws[summary.operation] else {
      preconditionFailure("expected a name of a fresh case, found \(summary.name)")
    }
    let seed = SplitMix64.mix(seed ^ Shard.hash(summary.name))
    let problem = draw.problem(seed: seed).problem
    let random = RandomExercise(problem: problem, roles: problem.definition.roles, fill: summary.fill, seed: seed)
    var golden = try random.goldenCase(oracle: ReferenceEngine(), fill: summary.fill)
    golden.summary = summary
    return golden
  }
}
