import ArgumentParser
import Benchmarking
import Engines
import Foundation
import Problems
import Reporting
import Results

struct DuetCommand: AsyncParsableCommand {
  static let standardSuite = "Benchmarks/duet.toml"

  static let configuration = CommandConfiguration(
    commandName: "duet",
    abstract: "The regression gate: two engines side by side, red for a slowdown and never for noise.",
    discussion: """
      Each engine has a process of its own, a new one for each block, and they take turns in it; 12 blocks screen every
      benchmark, 40 fresh ones decide those that exceed the margin, and a noisy one gets up to 8 times as many. The wall
      clock decides; where other work blinds it, the CPU time of the engines' threads may convict any benchmark and
      acquit those of one thread. Run by root, or with CAP_SYS_NICE, the gate goes before other work of its container.
      The base runs against a copy of itself beside them: where that differs, nothing is concluded. An engine that does
      not start, or does not do a benchmark, leaves the gate undecided.

      An engine is named as in assay bench (a built-in name, one of \(EngineLookup.standardFile), or name=COMMAND), or is a
      command that speaks the engine protocol, which may begin with variables in capitals, or library:FILE.

      EXAMPLES:
        assay duet --base direct --head winograd4
        assay duet --base 'old/assay engine direct' --head 'new/assay engine direct'
        assay duet --base './kernels-v1' --head './kernels-v2' --suite mine.toml --policy 3%
        assay duet --base library:old/libmine.so --head library:new/libmine.so
        assay duet --base 'old/assay engine execution' --head 'new/assay engine execution' --suite Benchmarks/duet_networks.toml

      A regression is 1; inconclusive and underpowered are 2.

      \(Outcome.exitCodes)
      """)

  @Option(help: "The engine to compare with: a name, a command, or library:FILE.")
  var base: String

  @Option(help: "The engine that must not be slower: a name, a command, or library:FILE.")
  var head: String

  @Option(
    help: "The benchmarks (default: \(DuetCommand.standardSuite)).", completion: .file(extensions: ["toml"]))
  var suite: String?

  @Option(
    help: """
      Layouts, with commas: nchw, native (default: the suite's; nchw where a side is a shared library, which keeps no other, and \
      --suite is not given).
      """)
  var layout: String?

  @Option(help: "Only benchmarks whose name matches this glob ('=NAME': a name as it is). May be repeated.")
  var filter: [String] = []

  @Option(
    help: "The change that the gate must be able to see (default: \(percent(\.policy))).", transform: Percentage.init)
  var policy: Percentage?

  @Option(
    help: "A slowdown that is not worth an alarm (default: \(percent(\.margin))).", transform: Percentage.init)
  var margin: Percentage?

  @Option(
    help: "Steal time of the timed cores above which nothing is concluded (default: \(percent(\.stealLimit))).",
    transform: Percentage.init)
  var stealLimit: Percentage?

  @OptionGroup var deadline: DeadlineOption

  @Flag(help: "Ask once more, with fresh blocks, of what seems to be a regression.")
  var confirm = false

  @Flag(help: "An improvement fails too: the baseline is stale.")
  var failOnImprovement = false

  @Option(help: "Seconds, at most 86400, that one reply may take (default: 60, or an engine's declaration's).")
  var timeout: Double?

  @Option(help: "Seed of operands and of the order of slices.")
  var seed: UInt64 = 1

  @Option(help: "Write run.json and every report to this folder.", completion: .directory)
  var out: String?

  @OptionGroup var json: JSONOption
  @OptionGroup var junit: JUnitOption
  @OptionGroup var colors: ColorOption

  @OptionGroup var surroundings: EngineSurroundingsOptions

  @Flag(
    help: """
      Also compare engines that speak protocol 1, whose times are their own claims: both sides then speak the highest version \
      that both know.
      """)
  var allowClaimed = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  func validate() throws {
    if base.allSatisfy(\.isWhitespace) || head.allSatisfy(\.isWhitespace) {
      throw ValidationError("--base and --head take an engine's name or a command.")
    }
    try OptionRange.requireTimeout(timeout)
  }

  private var reports: ReportOutput { ReportOutput(folder: out, junit: junit.path, files: json.files) }

  /// What the gate takes where an option does not say otherwise.
  private static func percent(_ value: KeyPath<DuetPolicy, Double>) -> String {
    String(format: "%g%%", 100 * DuetPolicy()[keyPath: value])
  }

  func run() async throws {
    func benchmarks(layout: String?) throws -> (suite: BenchmarkSuite, plan: BenchmarkPlan) {
      try BenchSelection.plan(
        suite: suite ?? BenchSelection.path(of: Self.standardSuite), layout: layout, filters: filter)
    }
    var (file, plan) = try benchmarks(layout: layout)
    let declarations = (base: try declaration("base", base), head: try declaration("head", head))
    if suite == nil, layout == nil, declarations.base.isHost || declarations.head.isHost {
      (file, plan) = try benchmarks(layout: TimingRequest.Layout.nchw.rawValue)
    }
    try reports.check()
    var rules = DuetPolicy()
    if let policy { rules.policy = policy.fraction }
    if let margin { rules.margin = margin.fraction }
    if let stealLimit { rules.stealLimit = stealLimit.fraction }
    rules.failOnImprovement = failOnImprovement
    rules.confirms = confirm
    let provenance = Provenance.current(seed: seed)
    let progress = ProgressDisplay(isQuiet: quiet)
    let runner: DuetRunner
    do throws(EngineError) {
      runner = try DuetRunner(
        plan: plan, base: declarations.base, head: declarations.head, policy: rules,
        sliceMilliseconds: file.sliceMilliseconds, seed: seed, nulls: EngineLookup.nulls(), allowsClaims: allowClaimed,
        deadline: deadline.seconds(),
        onProgress: { done, total, subject in progress.step(done: done, of: total, subject: subject) },
        shouldStop: { Task.isCancelled })
    } catch { throw Outcome.inconclusive.ending("the gate cannot begin: \(error)") }
    let found = runner.section
    let section = try Interruption.concluding {
      progress.clear()
      try conclude(found(false), provenance)
    } while: {
      defer { progress.clear() }
      return try runner.run()
    }
    try conclude(section, provenance)
  }

  private func declaration(_ name: String, _ word: String) throws -> ProcessEngine.Declaration {
    var declaration = try DuetEngine.declaration(of: word, option: "--\(name)")
    // Whatever an engine calls itself, messages are of a side.
    declaration.name = name
    if let timeout { declaration.timeout = timeout }
    declaration.surroundings = try surroundings.surroundings()
    return declaration
  }

  private func conclude(_ section: DuetSection, _ provenance: Provenance) throws {
    DuetTerminal(section: section, color: colors.color).printReport()
    var run = Run(provenance: provenance)
    run.duet = section
    try reports.end(run)
  }
}
