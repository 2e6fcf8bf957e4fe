/// What verification found: the section `verification` of a run.
public struct VerificationSection: Codable, Sendable {
  /// The engines that were asked, in order.
  public var engines: [EngineRecord]
  public var files: [FileRecord]
  /// One for each case, engine and dtype, ordered by file, case, engine, dtype.
  public var results: [CaseResult]
  /// One for each operation whose corpus was judged.
  public var vacuity: [VacuityRecord]
  /// Entries of `known_failures.toml` that no longer hold.
  public var staleKnownFailures: [StaleKnownFailure]
  public var calibration: [CalibrationRecord]?
  /// λ of the statistical bounds.
  public var lambda: Double
  public var filters: [String]
  public var tags: [String]
  public var shard: ShardRecord?
  /// Whether UNSUPPORTED counts as a failure.
  public var strict: Bool
  /// Stopped by a signal before every case was done.
  public var interrupted = false
  /// The precisions that were asked for. Absent in runs of earlier versions.
  public var dtypes: [String]?
  /// The numbers of threads that were asked for. Absent where each engine's standard was, and in runs of earlier versions.
  public var threads: [Int]?
  /// Globs of cases that were left out (`--exclude`). Absent where there are none.
  public var excludes: [String]?
  /// What alone was judged of each case (`--pass`). Absent where all of it was.
  public var passes: [String]?
  /// Whether cases that must be refused were left out (`--no-refusals`). Absent where they were not.
  public var withoutRefusals: Bool?
  /// What these left out. Absent where none of them was given.
  public var leftOut: LeftOutRecord?
  /// SHA-256 of the file of known failures that was applied; absent where there was none, and in runs of earlier versions.
  public var knownFailuresSha256: String?
  /// The entries of that file, and what was found of each; absent in runs of earlier versions.
  public var knownFailures: [KnownFailureRecord]?
  /// Of a merged run: shards that are missing or were interrupted.
  public var holes: [RunHole]?
  public var seconds: Double

  public init(
    engines: [EngineRecord], files: [FileRecord], results: [CaseResult], vacuity: [VacuityRecord],
    staleKnownFailures: [StaleKnownFailure], lambda: Double, filters: [String], tags: [String], shard: ShardRecord?,
    strict: Bool, dtypes: [String]? = nil, seconds: Double
  ) {
    self.engines = engines
    self.files = files
    self.results = results
    self.vacuity = vacuity
    self.staleKnownFailures = staleKnownFailures
    self.lambda = lambda
    self.filters = filters
    self.tags = tags
    self.shard = shard
    self.strict = strict
    self.dtypes = dtypes
    self.seconds = seconds
  }
}

/// How one case ended for one engine.
public enum VerificationStatus: String, Codable, Sendable, CaseIterable {
  case pass = "PASS"
  case fail = "FAIL"
  /// A crash, an exception, a time-out.
  case error = "ERROR"
  /// Rejected as the case expects: a pass.
  case refused = "REFUSED"
  /// The engine declared that it does not do this.
  case unsupported = "UNSUPPORTED"
  /// The engine never answered when it was started, so nothing was asked of it: no success, and no failure either.
  case notRun = "NOT RUN"
}

public struct EngineRecord: Codable, Sendable, Hashable {
  public var name: String
  public var version: String
  public var isBuiltIn: Bool
  /// The command that starts it, for an engine in another process.
  public var command: String?

  public init(name: String, version: String, isBuiltIn: Bool, command: String? = nil) {
    self.name = name
    self.version = version
    self.isBuiltIn = isBuiltIn
    self.command = command
  }
}

/// A golden file, or the cases that were made for this run alone: `fresh`, without a digest.
public struct FileRecord: Codable, Sendable, Hashable {
  public var path: String
  public var sha256: String
  public var caseCount: Int
  public var generator: String
  public var oracleDtype: String
  /// Why the file, or one of its cases, could not be read.
  public var errors: [String]

  /// The path of cases that were made for the run.
  public static let freshPath = "fresh"
  /// Whether it stands for these, and for no file.
  public var isFresh: Bool { path == Self.freshPath && sha256.isEmpty && errors.isEmpty }

  public init(
    path: String, sha256: String = "", caseCount: Int = 0, generator: String = "", oracleDtype: String = "",
    errors: [String] = []
  ) {
    self.path = path
    self.sha256 = sha256
    self.caseCount = caseCount
    self.generator = generator
    self.oracleDtype = oracleDtype
    self.errors = errors
  }
}

public struct ShardRecord: Codable, Sendable, Hashable, CustomStringConvertible {
  /// From 0.
  public var index: Int
  public var count: Int

  /// As `--shard` has it: from 1.
  public var description: String { "\(index + 1)/\(count)" }

  public init(index: Int, count: Int) {
    self.index = index
    self.count = count
  }
}

/// One case of one golden file, computed by one engine in one precision.
public struct CaseResult: Codable, Sendable {
  public var file: String
  public var name: String
  public var operation: String
  public var fill: String
  public var engine: String
  public var dtype: String
  public var status: VerificationStatus
  /// One sentence; empty for a plain PASS.
  public var message: String
  public var tensors: [TensorResult]
  /// Of a whole network: its layers, each on its own. Absent elsewhere.
  public var layers: LayerwiseRecord?
  /// Expected datasets that the engine declared it does not produce.
  public var omitted: [String]
  /// Whether these are all that it expects, so that nothing was asked. Absent where something was.
  public var isOmitted: Bool?
  /// Expected datasets of passes that were not asked for. Absent where all were.
  public var notAsked: [String]?
  /// The entry of `known_failures.toml` that excuses it, by its reason.
  public var knownFailure: String?
  public var seconds: Double
  /// The command that repeats just this.
  public var reproduce: String
  /// The numbers of threads that it was computed with, in order. Absent where nothing was computed, and in runs of earlier
  /// versions.
  public var threads: [Int]?
  /// The one of them with which it is not as it should be, of an engine that was asked with several. Absent elsewhere.
  public var failingThreads: Int?
  /// What mistakes give the same wrong answer. Absent where nothing was looked into, and in runs of earlier versions.
  public var diagnosis: DiagnosisRecord?

  public init(
    file: String, name: String, operation: String, fill: String, engine: String, dtype: String,
    status: VerificationStatus, message: String = "", tensors: [TensorResult] = [], omitted: [String] = [],
    knownFailure: String? = nil, seconds: Double = 0, reproduce: String = ""
  ) {
    self.file = file
    self.name = name
    self.operation = operation
    self.fill = fill
    self.engine = engine
    self.dtype = dtype
    self.status = status
    self.message = message
    self.tensors = tensors
    self.omitted = omitted
    self.knownFailure = knownFailure
    self.seconds = seconds
    self.reproduce = reproduce
  }

  /// Whether it counts against the run.
  public func counts(strict: Bool) -> Bool {
    guard knownFailure == nil else { return false }
    return switch status {
    case .fail, .error: true
    // Who declares to compute no gradients has none that could be missing.
    case .unsupported: strict && !(isOmitted == true && omittedResults.isEmpty)
    case .pass, .refused, .notRun: false
    }
  }

  /// What the engine omits of the forward pass: an engine that declares to compute no gradients is whole without them.
  public var omittedResults: [String] { omitted.filter { !$0.hasPrefix("gradients/") } }
}

/// How one tensor compares with what was expected.
public struct TensorResult: Codable, Sendable, Hashable {
  /// `outputs/y`, `gradients/weight`, …
  public var path: String
  public var shape: [Int]
  /// Elements compared: all of them, or the samples.
  public var compared: Int
  public var failing: Int
  /// What decided: `by value`, `statistical`, `rigorous`, or the file's own tolerance.
  public var rule: String
  /// Largest error/bound, 0/0 counting as 0; infinite where a NaN or an infinity is wrong.
  public var worstRatio: Double
  public var worstUlps: Double
  /// The element of `worstRatio`.
  public var worst: WorstElement?
  /// Which elements fail, in words.
  public var pattern: String
  /// What is wrong with the tensor as a whole: missing, shape, dtype, not written; empty otherwise.
  public var problem: String
  /// Why the file overrides the bound.
  public var overrideReason: String?
  /// The algorithms of the engine's own that widened the bound beyond the definition's, such as `winograd 4x3 (ncnn)`. Absent
  /// where none did, and in runs of earlier versions.
  public var widening: String?
  /// Of the failing ones, those whose bound is not finite though the expected value is: rounding may take them anywhere. Absent
  /// where there is none, and in runs of earlier versions.
  public var unbounded: Int?
  /// The errors as a whole. Absent where each is judged on its own alone, and in runs of earlier versions.
  public var distribution: ErrorDistributionRecord?
  /// Where the failing elements are. Absent where none or all fail, and in runs of earlier versions.
  public var map: FailureMap?

  public init(
    path: String, shape: [Int], compared: Int = 0, failing: Int = 0, rule: String = "", worstRatio: Double = 0,
    worstUlps: Double = 0, worst: WorstElement? = nil, pattern: String = "", problem: String = "",
    overrideReason: String? = nil
  ) {
    self.path = path
    self.shape = shape
    self.compared = compared
    self.failing = failing
    self.rule = rule
    self.worstRatio = worstRatio
    self.worstUlps = worstUlps
    self.worst = worst
    self.pattern = pattern
    self.problem = problem
    self.overrideReason = overrideReason
  }

  public var passes: Bool { failing == 0 && problem.isEmpty }
}

public struct WorstElement: Codable, Sendable, Hashable {
  /// Empty for a scalar and for a figure over the whole tensor.
  public var index: [Int]
  /// `sum`, `l2_norm` or `abs_max` where that figure of a sampled tensor is the worst.
  public var figure: String?
  public var got: Double
  public var expected: Double
  public var bound: Double

  public init(index: [Int], figure: String? = nil, got: Double, expected: Double, bound: Double) {
    self.index = index
    self.figure = figure
    self.got = got
    self.expected = expected
    self.bound = bound
  }
}

/// Whether an operation's corpus would notice the perturbations that every corpus must notice.
public struct VacuityRecord: Codable, Sendable, Hashable {
  public var operation: String
  /// Perturbations and the case that notices each; empty where none does.
  public var noticedBy: [String: String]
  /// Perturbations that say nothing about this corpus, and why.
  public var notJudged: [String: String]

  public init(operation: String, noticedBy: [String: String], notJudged: [String: String] = [:]) {
    self.operation = operation
    self.noticedBy = noticedBy
    self.notJudged = notJudged
  }

  /// Runs of older versions have no ``notJudged``.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    operation = try container.decode(String.self, forKey: .operation)
    noticedBy = try container.decode([String: String].self, forKey: .noticedBy)
    notJudged = try container.decodeIfPresent([String: String].self, forKey: .notJudged) ?? [:]
  }

  public var unnoticed: [String] { noticedBy.filter(\.value.isEmpty).keys.sorted() }
  public var isVacuous: Bool { !unnoticed.isEmpty }
}

/// An entry of `known_failures.toml`, and what a run, or a part of one, found of what it covers.
public struct KnownFailureRecord: Codable, Sendable, Hashable {
  public var engine: String
  public var caseGlob: String
  /// The types that it is restricted to. Absent where it is to none.
  public var dtypes: [String]?
  /// The tensors that it is restricted to. Absent where it is to none.
  public var tensor: String?
  /// The last day on which it holds, where that day is over.
  public var expired: String?
  /// How many results it covers: its cases in all files, selected or not, in the types that decide: those that it names, or
  /// both standard ones. Absent where nobody can tell: a file that cannot be read, an engine that was not asked, files that the
  /// entries are not about.
  public var covered: Int?
  /// Those of them that are in the run.
  public var found: Int
  public var failing: Int

  public init(
    engine: String, caseGlob: String, dtypes: [String]? = nil, tensor: String? = nil, expired: String? = nil,
    covered: Int?, found: Int = 0, failing: Int = 0
  ) {
    self.engine = engine
    self.caseGlob = caseGlob
    self.dtypes = dtypes
    self.tensor = tensor
    self.expired = expired
    self.covered = covered
    self.found = found
    self.failing = failing
  }

  /// What tells it from other entries.
  public var entry: [String] { [engine, caseGlob, tensor ?? ""] + (dtypes ?? []) }

  /// Why the entry no longer holds. One shard, precision or filter decides nothing of an entry that covers more than it ran.
  public var stale: StaleKnownFailure? {
    let problem: String? =
      if let expired {
        "expired on \(expired): mend the engine or renew the entry"
      } else if covered == 0 {
        "it matches no case: correct or remove it"
      } else if found == covered, failing == 0 {
        "nothing that it matches fails any more: remove it"
      } else {
        nil
      }
    return problem.map { StaleKnownFailure(engine: engine, caseGlob: caseGlob, problem: $0) }
  }

  /// Adds what another part of the same run found.
  public mutating func add(_ other: KnownFailureRecord) {
    expired = expired ?? other.expired
    if other.covered == nil { covered = nil }
    found += other.found
    failing += other.failing
  }
}

public struct StaleKnownFailure: Codable, Sendable, Hashable {
  public var engine: String
  public var caseGlob: String
  public var problem: String

  public init(engine: String, caseGlob: String, problem: String) {
    self.engine = engine
    self.caseGlob = caseGlob
    self.problem = problem
  }
}

/// How much of the bounds a correct implementation uses, over many random elements.
public struct CalibrationRecord: Codable, Sendable, Hashable {
  /// Elements beyond the statistical bound of one λ.
  public struct Alarms: Codable, Sendable, Hashable {
    public var lambda: Double
    public var count: Int

    public init(lambda: Double, count: Int) {
      self.lambda = lambda
      self.count = count
    }
  }

  /// How the errors of whole tensors were spread, beside what the tests of whole tensors assume. Each figure is the worst of any
  /// problem.
  public struct Spread: Codable, Sendable, Hashable {
    /// Those of enough elements.
    public var tensors: Int
    /// Mean z²: at most 1.
    public var meanSquare: Double
    /// κ, the variance of z² over its squared mean.
    public var scatter: Double
    public var assumedScatter: Double
    /// ρ, the share of the variance that elements of a group have in common.
    public var common: Double
    public var assumedCommon: Double
    /// The mean of z, or of z with the result's sign, that chance does not explain.
    public var drift: Double
    public var assumedDrift: Double
    /// The largest of any tensor's figures over its limit; above 1 is a false alarm.
    public var worst: Double

    public init(
      tensors: Int, meanSquare: Double, scatter: Double, assumedScatter: Double, common: Double, assumedCommon: Double,
      drift: Double, assumedDrift: Double, worst: Double
    ) {
      self.tensors = tensors
      self.meanSquare = meanSquare
      self.scatter = scatter
      self.assumedScatter = assumedScatter
      self.common = common
      self.assumedCommon = assumedCommon
      self.drift = drift
      self.assumedDrift = assumedDrift
      self.worst = worst
    }
  }

  /// Absent where it is the reference's, and in runs of earlier versions.
  public var engine: String?
  public var operation: String
  public var tensor: String
  /// Absent in runs of earlier versions: float32.
  public var dtype: String?
  public var elements: Int
  /// Empty counts where there is no statistical bound.
  public var alarms: [Alarms]
  public var rigorousAlarms: Int
  /// Beyond the smaller of both bounds, which decides.
  public var decisiveAlarms: Int
  /// The λ that would have been just enough; 0 without a statistical bound.
  public var leastLambda: Double
  /// Largest error over rigorous bound.
  public var worstRigorous: Double
  /// Absent where errors are judged one by one alone, and in runs of earlier versions.
  public var spread: Spread?

  public init(
    operation: String, tensor: String, dtype: String? = nil, elements: Int = 0, alarms: [Alarms] = [],
    rigorousAlarms: Int = 0, decisiveAlarms: Int = 0, leastLambda: Double = 0, worstRigorous: Double = 0
  ) {
    self.operation = operation
    self.tensor = tensor
    self.dtype = dtype
    self.elements = elements
    self.alarms = alarms
    self.rigorousAlarms = rigorousAlarms
    self.decisiveAlarms = decisiveAlarms
    self.leastLambda = leastLambda
    self.worstRigorous = worstRigorous
  }
}
