import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

/// Cases that no file holds, so that an engine cannot know their answers: the problems that each operation's definition lists,
/// with operands drawn from a seed, held against the reference in float64, forward and backward. Most are random; of an operation
/// whose results are sums of products every fifth has the next of ``Problems/OperandPattern``.
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

  public let count: Int
  public let seed: UInt64
  /// By operation; those without a generator are missing.
  private let problems: [String: [CalibrationProblem]]
  /// Operations that have patterns.
  private let sumsOfProducts: Set<String>

  /// - Parameters:
  ///   - count: of each operation.
  ///   - seed: of all operands.
  ///   - operations: those that cases are made of.
  public init(count: Int, seed: UInt64 = standardSeed, operations: Set<String> = OperationRegistry.names) {
    self.count = count
    self.seed = seed
    problems = operations.reduce(into: [:]) { all, name in
      let found = OperationRegistry.type(named: name).map(Self.problems) ?? []
      if !found.isEmpty { all[name] = found }
    }
    sumsOfProducts = Set(
      problems.filter { (try? Problem.parse($0.value[0].text))?.isSumOfProducts == true }.keys)
  }

  /// Those whose bounds are measured, and those whose gradients are checked at independent values.
  private static func problems(of type: any Operations.Operation.Type) -> [CalibrationProblem] {
    (type.calibrationProblems.value ?? [])
      + (type.gradientCases.value ?? []).filter { $0.fill == .random }.map { CalibrationProblem($0.text) }
  }

  /// Operations whose definitions list no problem to draw operands for.
  public static let withoutProblems: [String] = OperationRegistry.all.filter { problems(of: $0).isEmpty }.map {
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
    return problems.keys.sorted().flatMap { operation in
      indices.map { index in
        let isSmoke = Int(index).map { $0 < Self.smokeCount } ?? false
        let name = "\(Self.file)/\(operation)/\(index)"
        return GoldenCaseSummary(
          name: name, operation: operation, fill: choice(name, operation).pattern == nil ? .random : .adversarial,
          tags: isSmoke ? [Self.tag, "smoke"] : [Self.tag])
      }
    }
  }

  var record: FileRecord {
    FileRecord(
      path: Self.file, caseCount: problems.count * count,
      generator: "assay fresh, seed \(seed), \(count) an operation", oracleDtype: DType.float64.rawValue)
  }

  /// What is drawn and what is not, in a line.
  public var summary: String {
    let missing = Self.withoutProblems.joined(separator: ", ")
    let patterns = OperandPattern.allCases.map(\.rawValue).joined(separator: ", ")
    let patterned = sumsOfProducts.sorted().joined(separator: ", ")
    let turns =
      patterned.isEmpty || count < Self.patternInterval ? "" : "; every fifth of \(patterned) has \(patterns) in turn"
    return "fresh cases: \(count) of each operation, seed \(seed)\(turns); none of \(missing), which list no problems"
  }

  /// Whether a run of these decides what the entries of a file of known failures say of fresh cases.
  var isStandard: Bool { seed == Self.standardSeed && count >= Self.standardCount }

  /// The case of that name.
  /// - Throws: ``Engines/EngineError`` where the reference does not compute it, ``Problems/ProblemError`` for a listed text that is no
  ///   problem: mistakes of this program.
  package func golden(_ summary: GoldenCaseSummary) throws -> GoldenCase {
    let listed = problems[summary.operation] ?? []
    precondition(!listed.isEmpty, "expected a name of a fresh case, found \(summary.name)")
    let (index, pattern) = choice(summary.name, summary.operation)
    let chosen = listed[index % listed.count]
    let problem = try Problem.parse(chosen.text)
    let (roles, seed) = (problem.definition.roles, SplitMix64.mix(seed ^ Shard.hash(summary.name)))
    let random =
      if let pattern {
        RandomExercise(problem: problem, roles: roles, pattern: pattern, seed: seed)
      } else {
        RandomExercise(
          problem: problem, roles: roles, fill: summary.fill, seed: seed, range: .init(chosen.low, chosen.high))
      }
    var golden = try random.goldenCase(oracle: ReferenceEngine(), fill: summary.fill)
    golden.summary = summary
    return golden
  }

  /// What a case is drawn as: which of the operation's problems, and its pattern where it is not of independent random values.
  private func choice(_ name: String, _ operation: String) -> (problem: Int, pattern: OperandPattern?) {
    let index = name.split(separator: "/").last.flatMap { Int($0) } ?? 0
    let (turn, place) = index.quotientAndRemainder(dividingBy: Self.patternInterval)
    guard sumsOfProducts.contains(operation), place == Self.patternInterval - 1 else {
      return (sumsOfProducts.contains(operation) ? index - turn : index, nil)
    }
    // The first problems are those that bounds are measured on: their sums are long.
    return (turn, OperandPattern.allCases[turn % OperandPattern.allCases.count])
  }
}
