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
///
/// Or the problems are named and not drawn: then the cases are of those, each with operands of its own.
public struct FreshCases: Sendable {
  /// What stands for a file in the record.
  public static let file = FileRecord.freshPath
  /// The tag of all of them; the first of each operation are `smoke`, too.
  public static let tag = "fresh"
  /// How many of each operation engines get that are not built in.
  public static let standardCount = 20
  /// The seed that repeated runs share, so that a verdict does not change by chance.
  public static let standardSeed = Calibration.standardSeed
  /// How many of each problem that is named.
  public static let standardCountOfProblem = 5
  private static let smokeCount = 2
  /// As many as there are patterns times this have each once; the standard count does.
  private static let patternInterval = 5
  /// Every so many inputs have no negative number, as behind a ReLU, so that long sums grow.
  private static let positiveInterval = 4

  public let count: Int
  public let seed: UInt64
  /// By operation; those whose problems are not drawn are missing.
  private let draws: [String: ProblemDraw]
  /// Problems that were named, by their cases' names without the number.
  private let named: [String: any OperationProblem]
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
    named = [:]
  }

  /// - Parameters:
  ///   - count: of each problem.
  ///   - seed: of all operands.
  ///   - problems: those that cases are made of.
  public init(count: Int, seed: UInt64 = standardSeed, problems: [any OperationProblem]) {
    self.count = count
    self.seed = seed
    draws = [:]
    named = problems.reduce(into: [:]) { $0[Self.name(of: $1)] = $1 }
    sumsOfProducts = Set(problems.filter(\.isSumOfProducts).map { type(of: $0).operation })
  }

  /// Of a problem's cases, without their number: `fresh/conv2d/n1c3h8w8 k4r3s3`. What is said of `conv2d/*` is said of them.
  private static func name(of problem: any OperationProblem) -> String {
    let words = problem.text.split(separator: " ", maxSplits: 1)
    return ([Substring(file)] + words).joined(separator: "/")
  }

  /// Whether its problems were named.
  public var isOfNamedProblems: Bool { !named.isEmpty }

  /// The problem that was named of which a case is; `nil` for one that is drawn.
  func namedProblem(ofCase name: String) -> (any OperationProblem)? {
    name.lastIndex(of: "/").flatMap { named[String(name[..<$0])] }
  }

  func namedProblem(of summary: GoldenCaseSummary) -> (any OperationProblem)? { namedProblem(ofCase: summary.name) }

  private var texts: String { named.values.map(\.text).sorted().joined(separator: "; ") }

  /// Operations whose problems nobody draws.
  public static let withoutProblems: [String] =
    OperationRegistry.all.filter { $0.problemDraw.value == nil }.map { $0.name }.sorted()

  /// Whether a glob of a file's cases is about a fresh case as well: `conv2d/*` about `fresh/conv2d/3`.
  static func isMeant(_ name: String, by pattern: NamePattern) -> Bool {
    let prefix = file + "/"
    return name.hasPrefix(prefix) && pattern.isGlob && pattern.matches(String(name.dropFirst(prefix.count)))
  }

  /// Whether a glob can be about fresh cases alone: `fresh/conv2d/*`.
  public static func isNamed(by pattern: NamePattern) -> Bool {
    var text = pattern.description[...]
    if text.hasPrefix("=") { text = text.dropFirst() }
    if text.hasPrefix("/") { text = text.dropFirst() }
    return text.hasPrefix(file + "/")
  }

  /// In the order of a file's cases: by the bytes of their names.
  package var summaries: [GoldenCaseSummary] {
    let indices = (0..<count).map { "\($0)" }.sorted()
    let drawn = draws.keys.map { (start: "\(Self.file)/\($0)", operation: $0) }
    let all = drawn + named.map { (start: $0.key, operation: type(of: $0.value).operation) }
    let ordered = all.sorted { first, second in
      first.start.split(separator: "/").lexicographicallyPrecedes(second.start.split(separator: "/")) {
        $0.utf8.lexicographicallyPrecedes($1.utf8)
      }
    }
    return ordered.flatMap { start, operation in
      indices.map { index in
        let isSmoke = Int(index).map { $0 < Self.smokeCount } ?? false
        let name = "\(start)/\(index)"
        return GoldenCaseSummary(
          name: name, operation: operation, fill: pattern(name, operation) == nil ? .random : .adversarial,
          tags: isSmoke ? [Self.tag, "smoke"] : [Self.tag])
      }
    }
  }

  var record: FileRecord {
    FileRecord(
      path: Self.file, caseCount: (draws.count + named.count) * count,
      generator: "assay fresh, seed \(seed), \(count) " + (isOfNamedProblems ? "of \(texts)" : "an operation"),
      oracleDtype: DType.float64.rawValue)
  }

  /// What is drawn and what is not, in a line.
  public var summary: String {
    let missing = Self.withoutProblems.joined(separator: ", ")
    let patterns = OperandPattern.allCases.map(\.rawValue).joined(separator: ", ")
    let patterned = sumsOfProducts.sorted().joined(separator: ", ")
    let turns =
      patterned.isEmpty || count < Self.patternInterval ? "" : "; every fifth of \(patterned) has \(patterns) in turn"
    if isOfNamedProblems { return "fresh cases: \(count) of \(texts), seed \(seed)\(turns)" }
    return "fresh cases: \(count) of each operation, seed \(seed)\(turns); none of \(missing), which nobody draws"
  }

  /// Whether a run of these decides what the entries of a file of known failures say of fresh cases.
  var isStandard: Bool { !isOfNamedProblems && seed == Self.standardSeed && count >= Self.standardCount }

  /// The case of that name.
  /// - Parameters:
  ///   - summary: its name, and what belongs to it.
  ///   - passes: what is judged of it: more need not be computed. `nil` for all.
  /// - Throws: ``Problems/EngineError`` where the reference does not compute it: a mistake of this program.
  package func golden(
    _ summary: GoldenCaseSummary, passes: Set<JudgedPass>? = nil
  ) throws(EngineError) -> GoldenCase {
    var stream = SplitMix64(seed: SplitMix64.mix(seed ^ Shard.hash(summary.name)))
    let index = Self.index(of: summary.name)
    let pattern = pattern(summary.name, summary.operation)
    let problemSeed = stream.next()
    let problem: any OperationProblem
    if let named = namedProblem(of: summary) {
      problem = named
    } else if let draw = draws[summary.operation] {
      problem =
        pattern == nil && !index.isMultiple(of: 2)
        ? draw.problem(seed: problemSeed).problem
        : draw.problem(seed: problemSeed, within: .large, atLeast: ErrorDistribution.leastElements).problem
    } else {
      preconditionFailure("expected a name of a fresh case, found \(summary.name)")
    }
    let definition = problem.definition
    let roles = definition.roles
    let random =
      if let pattern {
        RandomExercise(problem: problem, roles: roles, pattern: pattern, seed: stream.next())
      } else {
        RandomExercise(
          problem: problem, roles: roles, fill: summary.fill, seed: stream.next(),
          range: index % Self.positiveInterval == 2 ? .init(0, 1) : .unit)
      }
    let asked =
      passes.map { random.exercise.asked(for: $0, differentiable: definition.differentiableOperands.value ?? []) }
      ?? random.exercise
    let expected = try ReferenceEngine().compute(asked.converted(to: .float64))
    var golden = GoldenCase(random.exercise, fill: summary.fill, expected: expected)
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
