import ArgumentParser
import Engines
import Foundation
import GoldenFiles
import Problems
import Reporting
import Results
import SelfTest
import Synchronization

/// `assay selftest`: does the gate catch wrong kernels, and leave correct ones alone?
struct SelftestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "selftest",
    abstract: "Run the gate against deliberately wrong implementations.",
    discussion: """
      Each mutant is a correct engine with one defect. It must be failed by a golden case or by a gradient check; defects
      of the gate itself must be noticed by a probe; and the correct code must pass everything, over many seeds.

      EXAMPLES:
        assay selftest
        assay selftest --smoke --verbose
        assay selftest --filter 'cheats/*'
        assay selftest --filter 'convolution/*' --explain
        assay selftest --shard 1/4 --deadline 600 --out shard-1 --resume

      Engines that cheat need a C compiler, a Python with NumPy and h5py (ASSAY_PYTHON names it), and a machine that does
      nothing else. Without a tool theirs are not run, and counted apart.

      A mutant that survives and a false alarm are 1; with --strict one that was not run is 2.

      \(Outcome.exitCodes)
      """)

  @Flag(help: "List the pieces of the test and stop; with --json as JSON, with what each costs.")
  var list = false

  @OptionGroup var json: JSONOption
  @OptionGroup var junit: JUnitOption

  @Flag(help: "Go on with the run in --out, or begin it: pieces that are done there are not done again.")
  var resume = false

  @OptionGroup var shards: ShardOptions
  @OptionGroup var deadline: DeadlineOption

  @Flag(help: "Three seeds in place of twenty, and no engines that cheat.")
  var smoke = false

  @Option(
    help: ArgumentHelp(
      "Only mutants whose family and name match, such as 'cheats/*', and no search for false alarms over seeds.",
      valueName: "pattern"))
  var filter: [String] = []

  @Flag(help: "Also say for how many mutants the first line of their failures names what is wrong.")
  var explain = false

  @Flag(help: "Mutants that were not run, because a tool is missing, leave the whole undecided.")
  var strict = false

  @Option(help: "The golden corpus (default: \(GoldenCorpus.standardFolder)).", completion: .directory)
  var golden: String?

  @Option(help: "First seed of the false-alarm search.")
  var seed: UInt64 = 1

  @Option(help: "How many mutants run at once (default: as many as there are cores).")
  var jobs: Int?

  @Option(help: "Write run.json and every report to this folder.", completion: .directory)
  var out: String?

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Every mutant, what killed it, and what the killing check said.")
  var verbose = false

  @OptionGroup var colors: ColorOption

  private var reports: ReportOutput { ReportOutput(folder: out, junit: junit.path, files: json.files) }

  func validate() throws {
    try OptionRange.require(jobs, "--jobs", in: OptionRange.jobs)
    if resume, out == nil { throw ValidationError("--resume needs --out: the folder of the run that goes on.") }
  }

  func run() async throws {
    let shard = try shards.chosen()
    if list { return try work(makeTest(), makeTrial()).part(shard).write(json: json.path) }
    deadline.begin()
    BazelTest()?.acknowledgeShards()
    try reports.check()
    let progress = ProgressDisplay(isQuiet: quiet)
    let provenance = Provenance.current(seed: seed)
    let journal = ResultJournal<SelfTest.Piece>(out: out)
    let started = Mutex<SelfTest?>(nil)
    let whole = try Interruption.concluding {
      progress.clear()
      // A signal may come while the corpus is read.
      var found = started.withLock { $0 }?.interruptedSection() ?? SelfTestSection()
      found.interrupted = true
      found.shard = shard?.record
      try report(record(found, provenance))
    } while: {
      let trial = makeTrial()
      var test = try makeTest()
      // Once the corpus is read: where it cannot be, nothing is left.
      switch try journal.begin(
        provenance, conditions: ["shard": shard?.record.description ?? "all"], resumes: resume)
      {
      case .complete(let run): return run
      case .open(let earlier): test.earlier = earlier
      }
      if !test.earlier.isEmpty { Console.note("going on: \(test.earlier.count) pieces are done") }
      test.onPiece = { name, piece in journal.add(piece, for: name) }
      if shard != nil { test.chosen = Set(work(test, trial).part(shard).pieces.map(\.name)) }
      let ready = test
      started.withLock { $0 = ready }
      var found = try ready.run(trial) { done, total, subject in
        progress.step(done: done, of: total, subject: subject)
      }
      found.shard = shard?.record
      return record(found, provenance)
    }
    progress.clear()
    // A tool that was missing may be there the next time.
    let isComplete = whole.selfTest.map { $0.interrupted != true && $0.notRun.isEmpty } ?? false
    try journal.concluding(isComplete: isComplete) { try report(whole) }
  }

  private func work(_ test: SelfTest, _ trial: CheatTrial?) -> WorkList {
    WorkList(command: "selftest", test.pieces(trial).map { .init(name: $0.name, cost: $0.cost) })
  }

  private var patterns: [NamePattern] { filter.map { NamePattern($0) } }

  /// The engines that cheat; none in a short run.
  private func makeTrial() -> CheatTrial? {
    let cheats = Cheat.all.filter { cheat in
      patterns.isEmpty || patterns.contains { $0.matches("\(Mutant.Family.cheats.rawValue)/\(cheat.name)") }
    }
    guard !smoke || !patterns.isEmpty, !cheats.isEmpty else { return nil }
    let tools = CheatTools(sources: EngineLookup.sources, program: EngineCatalog.thisProgram)
    return CheatTrial(
      cheats: cheats, tools: tools, nulls: EngineLookup.nulls(), seed: seed, shouldStop: { Task.isCancelled })
  }

  private func makeTest() throws -> SelfTest {
    let reader = try GoldenSession.reader()
    let files = try GoldenCorpus.files(at: [golden ?? Resources().corpus()]).map { try reader.open($0) }
    var test = try SelfTest(
      files: files, seeds: !filter.isEmpty ? 0 : smoke ? 3 : 20,
      threads: jobs ?? ProcessInfo.processInfo.activeProcessorCount, seed: seed,
      selection: patterns)
    test.explains = explain
    return test
  }

  private func record(_ section: SelfTestSection, _ provenance: Provenance) -> Run {
    var run = Run(provenance: provenance)
    run.selfTest = section
    run.selfTest?.strict = strict ? true : nil
    return run
  }

  private func report(_ run: Run) throws {
    if let section = run.selfTest { printReport(section) }
    try reports.end(run)
  }

  private func printReport(_ section: SelfTestSection) {
    SelftestTerminal(section: section, color: colors.color, showsEverything: verbose).printReport()
    if smoke, filter.isEmpty { Console.print("engines that cheat were left out by --smoke") }
    if section.conclusion.outcome != .holds {
      Console.print(
        "repeat: assay selftest --seed \(seed)" + (smoke ? " --smoke" : "") + (explain ? " --explain" : "")
          + filter.map { " --filter \(ShellCommand.quoted($0))" }.joined() + " --verbose")
    }
  }
}
