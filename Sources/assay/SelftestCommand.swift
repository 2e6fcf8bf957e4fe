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

  private var reports: ReportOutput { ReportOutput(folder: out, files: json.files) }

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

  /// A line for each family of mutants.
  private func printFamilies(_ section: SelfTestSection) {
    var families: [String] = []
    for mutant in section.mutants where !families.contains(mutant.family) { families.append(mutant.family) }
    let rows = families.map { family in
      let mutants = section.mutants.filter { $0.family == family }
      let missing = mutants.count { $0.notRun != nil }
      return [
        family, "\(mutants.count)", "\(mutants.count(where: \.isKilled))", missing == 0 ? "" : "\(missing)",
      ]
    }
    Console.print(TextTable(["family", "mutants", "killed", "not run"], rows).text, terminator: "")
  }

  private func printExplanations(_ mutant: MutantRecord) {
    for (label, record) in [("explained", mutant.explained), ("were it unknown", mutant.explainedUnknown)] {
      guard let record else { continue }
      let refuted = record.refutedBy.map { ", but not in \($0)" } ?? ""
      Console.print(
        "              \(label): \(record.verdict.rawValue) (\(record.looked) + \(record.others) cases) \(record.text)\(refuted)"
      )
    }
  }

  private func printReport(_ section: SelfTestSection) {
    if !verbose { printFamilies(section) }
    var family = ""
    for mutant in verbose ? section.mutants : section.survivors {
      if mutant.family != family {
        family = mutant.family
        Console.print(family)
      }
      let state = mutant.notRun != nil ? "not run " : mutant.isKilled ? "killed  " : "SURVIVED"
      Console.print("  \(state)  \(mutant.name)")
      if let kill = mutant.verifyKill {
        let ratio = mutant.verifyRatio.map { "  error/bound \(NumberText.short($0))" } ?? ""
        Console.print("            verify \(kill)\(ratio)")
        if verbose, let detail = mutant.verifyDetail { Console.print("              \(detail)") }
      }
      if verbose { printExplanations(mutant) }
      if let kill = mutant.gradcheckKill {
        Console.print("            gradcheck \(kill)  error/bound \(NumberText.short(mutant.gradcheckRatio ?? 0))")
        if verbose, let detail = mutant.gradcheckDetail { Console.print("              \(detail)") }
      }
      if let kill = mutant.fuzzKill {
        Console.print("            fuzz \(kill)  after \(mutant.fuzzCases ?? 0) random problems")
      }
      if let kill = mutant.probeKill { Console.print("            probe: \(kill)") }
      if let kill = mutant.benchKill { Console.print("            bench: \(kill)") }
      for detail in [mutant.benchDetail, mutant.isKilled ? nil : mutant.verifyDetail].compactMap(\.self) {
        Console.print("              \(detail.printable)")
      }
      if verbose, let seconds = mutant.seconds { Console.print("              in \(NumberText.duration(seconds))") }
    }
    if let reason = section.notRun.first?.notRun {
      Console.print("not run: \(section.notRun.count) mutants: \(reason)")
    }
    for alarm in section.falseAlarms { Console.print("FALSE ALARM  \(alarm)") }
    Console.print(
      "\(section.score); "
        + "\(section.falseAlarms.count) false alarms in \(section.checksOfCorrectCode) checks of correct code "
        + "(\(section.seedCount) seeds); "
        + String(format: "%.1f s", section.seconds))
    if let score = section.fuzzScore { Console.print("of size classes \(score)") }
    for line in section.explanationScore ?? [] { Console.print(line) }
    if let score = section.firstProtocolScore { Console.print("for comparison, \(score)") }
    if smoke, filter.isEmpty { Console.print("engines that cheat were left out by --smoke") }
    if section.conclusion.outcome != .holds {
      Console.print(
        "repeat: assay selftest --seed \(seed)" + (smoke ? " --smoke" : "") + (explain ? " --explain" : "")
          + filter.map { " --filter \(ShellCommand.quoted($0))" }.joined() + " --verbose")
    }
  }
}
