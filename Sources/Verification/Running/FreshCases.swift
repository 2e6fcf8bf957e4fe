import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

/// Cases that no file holds, so that an engine cannot know their answers: problems of each operation's own draw, the one that
/// fuzzing has, with operands drawn from a seed, held against the reference in float64, forward and backward. Every second problem
/// is large enough for the tests of a whole tensor's errors. Most operands are random; of an operation whose results are sums of
/// products every fifth case has the next of ``Problems/OperandPattern``.
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
  /// As many as there are patterns times this have each once; the standard count does.
  private static let patternInterval = 5
  /// Every so many inputs have no negative number, as behind a ReLU, so that long sums grow.
  private static let positiveInterval = 4

  public let count: Int
  public let seed: UInt64
  /// By operation; those whose problems are not drawn are missing.
  private let draws: [String: ProblemDraw]
  /// Operations that have patterns.
  private let sumsOfProducts: Set<String>

  /// - Parameters:
  ///   - count: of each operation.
  ///   - seed: of all operands.
  ///   - operations: those that cases are made of.
  public init(count: Int, seed: UInt64 = standardSeed, operations: Set<String> = OperationRegistry.names) {
    self.count = count
    self.seed = seed
    draws = operations.reduce(into: [:]) { all, name in
      all[name] = OperationRegistry.type(named: name)?.problemDraw.value
    }
    sumsOfProducts = Set(draws.filter { $0.value.problem([:])?.problem.isSumOfProducts == true }.keys)
  }

  /// Operations whose problems nobody draws.
  public static let withoutProblems: [String] =
    OperationRegistry.all.filter { $0.problemDraw.value == nil }.map { $0.name }.sorted()

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
        let name = "\(Self.file)/\(operation)/\(index)"
        return GoldenCaseSummary(
          name: name, operation: operation, fill: pattern(name, operation) == nil ? .random : .adversarial,
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
    let patterns = OperandPattern.allCases.map(\.rawValue).joined(separator: ", ")
    let patterned = sumsOfProducts.sorted().joined(separator: ", ")
    let turns =
      patterned.isEmpty || count < Self.patternInterval ? "" : "; every fifth of \(patterned) has \(patterns) in turn"
    return "fresh cases: \(count) of each operation, seed \(seed)\(turns); none of \(missing), which nobody draws"
  }

  /// Whether a run of these decides what the entries of a file of known failures say of fresh cases.
  var isStandard: Bool { seed == Self.standardSeed && count >= Self.standardCount }

  /// The case of that name.
  /// - Throws: ``Problems/EngineError`` where the reference does not compute it: a mistake of this program.
  package func golden(_ summary: GoldenCaseSummary) throws(EngineError) -> GoldenCase {
    guard let draw = draws[summary.operation] else {
      preconditionFailure("expected a name of a fresh case, found \(summary.name)")
    }
    var stream = SplitMix64(seed: SplitMix64.mix(seed ^ Shard.hash(summary.name)))
    let index = Self.index(of: summary.name)
    let pattern = pattern(summary.name, summary.operation)
    let problemSeed = stream.next()
    let problem =
      pattern == nil && !index.isMultiple(of: 2)
      ? draw.problem(seed: problemSeed).problem
      : draw.problem(seed: problemSeed, within: .large, atLeast: ErrorDistribution.leastElements).problem
    let roles = problem.definition.roles
    let random =
      if let pattern {
        RandomExercise(problem: problem, roles: roles, pattern: pattern, seed: stream.next())
      } else {
        RandomExercise(
          problem: problem, roles: roles, fill: summary.fill, seed: stream.next(),
          range: index % Self.positiveInterval == 2 ? .init(0, 1) : .unit)
      }
    var golden = try random.goldenCase(oracle: ReferenceEngine(), fill: summary.fill)
    golden.summary = summary
    return golden
  }

  private static func index(of name: String) -> Int { name.split(separator: "/").last.flatMap { Int($0) } ?? 0 }

  /// The pattern of a case's operands, where they are not independent random values.
  private func pattern(_ name: String, _ operation: String) -> OperandPattern? {
    let (turn, place) = Self.index(of: name).quotientAndRemainder(dividingBy: Self.patternInterval)
    guard sumsOfProducts.contains(operation), place == Self.patternInterval - 1 else { return nil }
    return OperandPattern.allCases[turn % OperandPattern.allCases.count]
  }
}
