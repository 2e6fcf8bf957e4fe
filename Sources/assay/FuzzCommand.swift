import ArgumentParser
import Engines
import Foundation
import Fuzzing
import GoldenFiles
import Operations
import Problems
import Reporting
import Results
import Tensors
import Verification

/// `assay fuzz`: random problems, and the smallest of those that fail.
struct FuzzCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Ask engines random problems, and shrink what fails.",
    discussion: """
      Problems of every operation that an engine offers are drawn from a seed: extents below, at and above multiples of 4 to
      64, attributes and their combinations, all kinds of operands, forward and backward, and problems that have to be refused.
      Each is judged as in assay verify, with the reference in float64 as the oracle. What fails is shrunk to the smallest
      problem that still fails.

      EXAMPLES:
        assay fuzz --engine direct --operation conv2d --time 20s
        assay fuzz --engine mine='./my-engine --fast' --time 10m --seed random --out Reports/fuzz
        assay fuzz --library libmine.so --cases 1000
        assay fuzz --engine mine=./my-engine --time 2m --pass forward --no-refusals
        assay fuzz --engine reference --problem 'relu shape17' --data exact@1

      The same seed gives the same problems, on any machine, in any number of shards.

      \(Outcome.exitCodes)
      """)

  @OptionGroup var engines: EngineOptions
  @OptionGroup var selection: FuzzSelection
  @OptionGroup var threads: ThreadOption
  @OptionGroup var deadline: DeadlineOption

  @Option(help: "How many cases are computed at once, 1 to 1024 (default: as many as there are cores).")
  var jobs: Int?

  @Option(
    help: "Write run.json, every report and a golden file of each failure to this folder.", completion: .directory)
  var out: String?

  @OptionGroup var json: JSONOption

  @OptionGroup var junit: JUnitOption

  @Flag(help: "Go on with the run whose record is in --out.")
  var resume = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Also print what was never drawn.")
  var verbose = false

  @OptionGroup var colors: ColorOption

  func validate() throws {
    try OptionRange.require(jobs, "--jobs", in: OptionRange.jobs)
    if out == "" { throw ValidationError("--out takes the path of a folder.") }
    if resume, out == nil { throw ValidationError("--resume needs --out: the folder of the run that goes on.") }
    if resume, selection.isOneCase { throw ValidationError("--resume goes on with a run, not with one case.") }
  }

  private var reports: ReportOutput {
    ReportOutput(folder: out, junit: junit.path, files: json.files)
  }

  func run() async throws {
    deadline.begin()
    BazelTest()?.acknowledgeShards()
    let provenance = Provenance.current(seed: selection.chosenSeed)
    let plan = try plan(provenance)
    guard !plan.operations.isEmpty else {
      throw ValidationError("--operation: expected an operation that an engine offers and problems are drawn of.")
    }
    try reports.check()
    let folder = try FailureFolder(out)
    Console.print("seed \(plan.seed)")
    let progress = ProgressDisplay(isQuiet: quiet)
    let fuzzer = Fuzzer(plan) { done, total, failures, name in
      progress.step(done: done, of: total, failures: failures, within: plan.seconds, subject: name)
    }
    let section = try await Interruption.concluding {
      progress.clear()
      try conclude(fuzzer.interruptedSection(), fuzzer, folder, provenance)
    } while: {
      try await find(fuzzer)
    }
    progress.clear()
    try conclude(section, fuzzer, folder, provenance)
  }

  private func find(_ fuzzer: Fuzzer) async throws -> FuzzingSection {
    if let problem = try selection.givenProblem() { return try fuzzer.run(problem.problem, problem.data) }
    if let number = selection.only { return fuzzer.run(number: number, of: fuzzer.plan.operations[0]) }
    return await fuzzer.run()
  }

  private func plan(_ provenance: Provenance) throws -> FuzzPlan {
    let words = engines.words
    let found = try EngineLookup.engines(
      words.isEmpty ? ["reference"] : words, timeout: engines.timeout,
      surroundings: engines.surroundings.surroundings(), standsIn: true)
    var plan = try FuzzPlan(
      engines: found.map(\.engine), operations: selection.operations(),
      dtypes: selection.dtypes(for: found.map(\.engine)), seed: selection.chosenSeed)
    plan.engineWords = Dictionary(uniqueKeysWithValues: found.map { ($0.engine.description.name, $0.word) })
    plan.foreignWords = (engines.timeout.map { ["--timeout", "\($0)"] } ?? []) + engines.surroundings.words
    plan.threads = try threads.counts
    plan.passes = try selection.judging.passes
    plan.asksRefusals = !selection.judging.noRefusals
    plan.shard = try selection.shards.chosen()
    plan.cases = selection.cases
    plan.seconds = selection.seconds
    plan.workers = jobs ?? ProcessInfo.processInfo.activeProcessorCount
    if resume, let out { plan.earlier = try earlier(in: out, of: plan, provenance) }
    return plan
  }

  /// - Throws: `ValidationError` where the run in the folder is of other problems, or of another program.
  private func earlier(in folder: String, of plan: FuzzPlan, _ provenance: Provenance) throws -> FuzzingSection? {
    guard FileManager.default.fileExists(atPath: "\(folder)/run.json") else { return nil }
    let run = try ReportOutput.read(folder)
    guard let section = run.fuzzing else {
      throw ValidationError("--resume: expected a run of assay fuzz in \(folder.printable), found another.")
    }
    if let shards = section.mergedShards {
      throw ValidationError(
        "--resume: expected one run in \(folder.printable), found \(shards) shards that were merged; "
          + "go on with each in its own folder, and merge them again.")
    }
    if let difference = Run(provenance: provenance).differences(from: run).first {
      throw ValidationError(
        "--resume: expected a run of this program in \(folder.printable), found another \(difference.name): "
          + "\(difference.second.printable), and not \(difference.first.printable). Begin anew, without --resume.")
    }
    if let difference = plan.difference(from: section) {
      throw ValidationError(
        "--resume: expected a run of the same problems in \(folder.printable), found one with another \(difference).")
    }
    return section
  }

  private func conclude(
    _ found: FuzzingSection, _ fuzzer: Fuzzer, _ folder: FailureFolder?, _ provenance: Provenance
  ) throws {
    var section = found
    let written = folder?.write(&section, fuzzer) ?? .holds
    FuzzTerminal(section: section, color: colors.color, showsEverything: verbose).printReport()
    var run = Run(provenance: provenance)
    run.fuzzing = section
    try Outcome.worse(written, Outcome.worse(run.conclusion.outcome, reports.write(run))).end()
  }
}

/// What `assay fuzz` draws, and how long.
struct FuzzSelection: ParsableArguments {
  @Option(help: "Only this operation, such as conv2d. May be repeated (default: all that an engine offers).")
  var operation: [String] = []

  @Option(help: ArgumentHelp("How long, such as 90s, 10m or 2h (default: 60s without --cases).", valueName: "time"))
  var time: Span?

  @Option(help: ArgumentHelp("How many cases of each operation, 1 to 10000000.", valueName: "n"))
  var cases: Int?

  @Option(
    help: ArgumentHelp(
      "Seed of all problems and operands: a number, or random (default: \(FuzzPlan.standardSeed)). It is printed first.",
      valueName: "seed"))
  var seed: FreshOptions.Seed?

  @Option(
    help: """
      Precisions: float64, float32, float16, bfloat16, several with commas, which cases take in turn (default: all that an \
      engine declares).
      """)
  var dtype: [Precisions] = []

  @OptionGroup var judging: JudgingOptions
  @OptionGroup var shards: ShardOptions

  @Option(help: ArgumentHelp("Only the case of this number, of the one operation that is named.", valueName: "number"))
  var only: Int?

  @Option(help: "Only this problem, in one line as a failure prints it, with the operands of --data.")
  var problem: String?

  @Option(
    help: ArgumentHelp(
      "The operands of --problem, as a failure prints them: a kind and a seed, such as random@1, and tensors of one value.",
      valueName: "kind@seed,…"))
  var data: String?

  func validate() throws {
    try OptionRange.require(cases, "--cases", in: OptionRange.fuzzedCases)
    try OptionRange.require(only, "--only", in: 0...OptionRange.fuzzedCases.upperBound)
    _ = try operations()
    if only != nil, operation.count != 1 { throw ValidationError("--only needs one --operation.") }
    if problem != nil, only != nil { throw ValidationError("--problem and --only exclude one another.") }
    if data != nil, problem == nil { throw ValidationError("--data needs --problem.") }
    if isOneCase, cases != nil || time != nil || shards.shard != nil || shards.shards != nil {
      throw ValidationError("--cases, --time and --shard are for runs of many cases: --problem and --only ask one.")
    }
    _ = try givenProblem()
    _ = try Precisions.chosen(dtype, standard: [], among: DType.floats)
  }

  /// Whether it is named, and nothing else is drawn.
  var isOneCase: Bool { problem != nil || only != nil }

  var chosenSeed: UInt64 { seed?.value ?? BazelTest()?.seed ?? FuzzPlan.standardSeed }
  var seconds: Double? { time?.seconds ?? (cases == nil ? 60 : nil) }

  /// Those that are named.
  /// - Throws: `ValidationError` for a name that no operation has.
  func operations() throws -> Set<String> {
    for name in operation where !OperationRegistry.names.contains(name) {
      let meant = Problem.nearMiss(of: name).map { "; did you mean \($0)?" } ?? ""
      throw ValidationError("--operation: '\(name.printable)' is no operation of the golden format\(meant)")
    }
    guard let problem = try givenProblem()?.problem else { return Set(operation) }
    return [type(of: problem).operation]
  }

  func dtypes(for engines: [any Engine]) throws -> [DType] {
    let declared = engines.reduce(into: Set<DType>()) { $0.formUnion($1.description.dtypes) }
    return try Precisions.chosen(dtype, standard: DType.floats.filter(declared.contains), among: DType.floats)
  }

  /// The problem of `--problem` and its operands.
  func givenProblem() throws -> (problem: any OperationProblem, data: DataRecipe)? {
    guard let problem else { return nil }
    guard let recipe = data.map({ DataRecipe($0) }) ?? DataRecipe(kind: .random, seed: chosenSeed) else {
      throw ValidationError("--data: expected a kind and a seed such as random@1, found '\((data ?? "").printable)'.")
    }
    do throws(ProblemError) {
      let parsed = try Problem.parse(problem)
      try CaseLimits.standard.require(parsed)
      return (parsed, recipe)
    } catch { throw ValidationError("--problem: \("\(error)".printable)") }
  }

  /// A length of time with its unit.
  struct Span: ExpressibleByArgument {
    let seconds: Double

    init?(argument: String) {
      let units = ["s": 1.0, "m": 60, "h": 3_600]
      let factor = argument.last.flatMap { units[String($0)] }
      guard let number = Double(factor == nil ? argument[...] : argument.dropLast()), number > 0 else { return nil }
      seconds = number * (factor ?? 1)
      // A month: what is longer is a slip of the finger.
      if !(seconds <= 2_678_400) { return nil }
    }
  }
}
