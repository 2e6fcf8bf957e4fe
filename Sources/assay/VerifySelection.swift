import ArgumentParser
import Engines
import Foundation
import GoldenFiles
import Operations
import Problems
import Results
import StrategyEngines
import TOMLFiles
import Tensors
import Verification

/// What `assay verify` is about.
struct VerifySelection: ParsableArguments {
  static let standardKnownFailures = "Benchmarks/known_failures.toml"

  @OptionGroup var engines: EngineOptions

  @Option(
    help: ArgumentHelp(
      """
      A problem in its text form, such as 'conv2d n8c64h56w56 k64r3s3 stride1 pad1', with operands from --seed and the reference \
      as the oracle; --fresh says how many times. Golden files are read only where --golden, --filter or --tag asks for them. \
      May be repeated.
      """, valueName: "problem"))
  var operation: [String] = []

  @Option(
    help: "Only cases whose name matches this glob; '*' crosses slashes, '=NAME' is a name as it is. May be repeated.")
  var filter: [String] = []

  @Option(help: ArgumentHelp("Without the cases whose name matches this glob. May be repeated.", valueName: "glob"))
  var exclude: [String] = []

  @OptionGroup var judging: JudgingOptions

  @Option(
    help: """
      Only cases with this tag: smoke, slow, or full for all that are not slow. May be repeated (default: full, or every \
      case that --filter names).
      """)
  var tag: [String] = []

  @Option(
    parsing: .upToNextOption, help: "Golden files, or folders of them (default: \(GoldenCorpus.standardFolder)).",
    completion: .file(extensions: ["h5", "hdf5"]))
  var golden: [String] = []

  @Option(
    help: """
      Precisions: float64, float32, float16, bfloat16, several with commas (default: float32,float64). In 16 bits the \
      reference computes what is expected, on operands rounded to the type.
      """)
  var dtype: [Precisions] = []

  @OptionGroup var shards: ShardOptions

  @Option(help: "How many cases are computed at once, 1 to 1024 (default: as many as there are cores).")
  var jobs: Int?

  @OptionGroup var threads: ThreadOption
  @OptionGroup var fresh: FreshOptions

  /// Those of `--operation`.
  private var problems: [any OperationProblem] {
    get throws {
      try operation.map { text in
        do throws(ProblemError) { return try Problem.parse(text) } catch {
          throw ValidationError("--operation: \("\(error)".printable)")
        }
      }
    }
  }

  private var dtypes: [DType] {
    get throws {
      try Precisions.chosen(dtype, standard: VerificationPlan.allDTypes, among: DType.floats)
    }
  }

  func validate() throws {
    _ = try dtypes
    _ = try problems
    if !operation.isEmpty, fresh.fresh == 0 {
      throw ValidationError("--fresh 0 leaves nothing of --operation: give at least 1.")
    }
    try OptionRange.require(jobs, "--jobs", in: OptionRange.jobs)
    if golden.contains("") { throw ValidationError("--golden takes the path of a file or folder.") }
  }

  /// - Returns: the plan, and a record for each path that names no golden file.
  /// - Throws: `ValidationError` (exit 64) for words that name nothing, ``KnownFailures/Malformed`` (exit 65).
  func plan(
    strict: Bool, knownFailures: String?, limits: CaseLimitOptions, environment: [String: String]
  ) throws -> (VerificationPlan, [FileRecord]) {
    let shard = try shards.chosen(environment)
    let asked = (filter.isEmpty ? BazelTest(environment)?.filter.map { [$0] } ?? [] : filter).map { NamePattern($0) }
    let named = try self.problems
    for problem in named {
      do throws(ProblemError) { try limits.limits().require(problem) } catch {
        throw ValidationError("--operation: \("\(error)".printable)")
      }
    }

    var files: [String] = []
    var problems: [FileRecord] = []
    // Who names a problem asks for no file, unless something else does.
    let asksForFiles = named.isEmpty || !tag.isEmpty || asked.contains { !FreshCases.isNamed(by: $0) }
    let standard = golden.isEmpty && asksForFiles ? [try Resources().corpus()] : []
    for path in golden + standard {
      do throws(GoldenFileError) {
        files += try GoldenCorpus.files(at: [path]).filter { !files.contains($0) }
      } catch { problems.append(FileRecord(path: path, errors: [error.description])) }
    }
    let words = engines.words
    let found = try EngineLookup.engines(
      words.isEmpty ? ["reference"] : words, timeout: engines.timeout,
      surroundings: engines.surroundings.surroundings(hiding: files), standsIn: true)
    let engineWords = Dictionary(uniqueKeysWithValues: found.map { ($0.engine.description.name, $0.word) })
    var plan = VerificationPlan(
      engines: found.map(\.engine), engineWords: engineWords, dtypes: try dtypes, files: files,
      filters: asked, tags: Set(tag), shard: shard, strict: strict,
      knownFailures: try excuses(knownFailures), workers: jobs ?? ProcessInfo.processInfo.activeProcessorCount,
      today: String(Date().ISO8601Format().prefix(10)), vacuityOracle: BuiltInEngines.named("reference"))
    plan.limitWords = limits.words
    plan.foreignWords = (engines.timeout.map { ["--timeout", "\($0)"] } ?? []) + engines.surroundings.words
    plan.threads = try threads.counts
    plan.fresh = fresh.cases(for: found.map(\.engine), of: named)
    plan.fileWords = golden
    plan.knownFailuresAreOfFiles = !files.isEmpty && (golden.isEmpty || knownFailures != nil)
    plan.excludes = exclude.map { NamePattern($0) }
    plan.passes = try judging.passes
    plan.asksRefusals = !judging.noRefusals
    return (plan, problems)
  }

  private func excuses(_ path: String?) throws -> KnownFailures {
    guard let path = path ?? Resources().path(Self.standardKnownFailures) else { return KnownFailures() }
    return try KnownFailures(contentsOf: path)
  }
}
