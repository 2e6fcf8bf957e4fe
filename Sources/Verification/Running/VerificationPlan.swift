import Engines
import Foundation
import GoldenFiles
import Problems
import Results
import Tensors

/// What to verify.
public struct VerificationPlan: Sendable {
  public var engines: [any Engine]
  /// How the command line names an engine, where that is not its name alone (`mine='./mine --fast'`).
  public var engineWords: [String: String]
  /// The words of limits that a run was given, for the commands that repeat its cases.
  public var limitWords: [String] = []
  /// The words about engines that are not built in: a time-out, what they get of this process.
  public var foreignWords: [String] = []
  /// How many threads engines are asked with; `nil` for each engine's standard.
  public var threads: [Int]?
  /// Cases beside those of the files.
  public var fresh: FreshCases?
  /// The paths that name the files, as they were typed: what repeats a fresh case beside them.
  public var fileWords: [String] = []
  public var dtypes: [DType]
  /// Those that are asked for when none is named.
  public static let allDTypes: [DType] = [.float32, .float64]
  /// Golden files, in order.
  public var files: [String]
  public var filters: [NamePattern]
  /// Cases that are left out, whatever chose them.
  public var excludes: [NamePattern] = []
  /// Whether cases that must be refused are asked.
  public var asksRefusals = true
  /// What is judged of each case; `nil` for all of it.
  public var passes: Set<JudgedPass>?
  /// `smoke`, `slow` or any other: a case must carry one of them; `full` stands for every case that is not slow. Empty means
  /// `full`, or every case when filters name what is wanted.
  public var tags: Set<String>
  public var shard: Shard?
  public var strict: Bool
  public var knownFailures: KnownFailures
  /// Whether the files are those that the known failures are about: only then can an entry be stale for want of a failure.
  public var knownFailuresAreOfFiles = true
  public var workers: Int
  /// `yyyy-mm-dd`, for the expiry of known failures.
  public var today: String
  /// Judges whether the corpus would notice defects; `nil` leaves that out.
  public var vacuityOracle: (any Engine)?
  /// Of a run that goes on: the results of cases that are done, by ``Verifier/key(file:name:)``.
  public var earlier: [String: [CaseResult]] = [:]

  public init(
    engines: [any Engine], engineWords: [String: String] = [:], dtypes: [DType] = allDTypes, files: [String],
    filters: [NamePattern] = [],
    tags: Set<String> = [], shard: Shard? = nil, strict: Bool = false, knownFailures: KnownFailures = KnownFailures(),
    workers: Int = ProcessInfo.processInfo.activeProcessorCount, today: String = "",
    vacuityOracle: (any Engine)? = nil
  ) {
    self.engines = engines
    self.engineWords = engineWords
    self.dtypes = dtypes
    self.files = files
    self.filters = filters
    self.tags = tags
    self.shard = shard
    self.strict = strict
    self.knownFailures = knownFailures
    self.workers = workers
    self.today = today
    self.vacuityOracle = vacuityOracle
  }

  /// Whether a case is chosen, be it left out afterwards. One of a problem that was named is, unless a filter chooses among such.
  func includes(_ summary: GoldenCaseSummary, isNamed: Bool = false) -> Bool {
    if isNamed, !filters.contains(where: FreshCases.isNamed) { return true }
    let isFiltered = filters.isEmpty || Self.names(summary, filters)
    guard isFiltered, !isNamed else { return isFiltered }
    return tags.isEmpty && !filters.isEmpty || !tags.isDisjoint(with: summary.tags)
      || (tags.isEmpty || tags.contains("full")) && !summary.tags.contains("slow")
  }

  func excludes(_ summary: GoldenCaseSummary) -> Bool { Self.names(summary, excludes) }

  private static func names(_ summary: GoldenCaseSummary, _ patterns: [NamePattern]) -> Bool {
    patterns.contains { FreshCases.isMeant(summary.name, by: $0) || $0.matches(summary.name) }
  }

  /// Whether cases are left out of those that are chosen.
  var leavesOut: Bool { !excludes.isEmpty || !asksRefusals || passes != nil }

  /// The words of options that decide what is judged of a case.
  var passWords: [String] { passes.map { ["--pass", JudgedPass.names($0).joined(separator: ",")] } ?? [] }
}
