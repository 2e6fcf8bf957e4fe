import ArgumentParser
import Benchmarking
import CShims
import Engines
import Foundation
import Reporting
import Results
import RunAnalysis
import StrategyEngines
import Synchronization

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time engines on the convolutions of ResNets, on whole networks, or on any operation.",
    discussion: """
      Every engine is verified on a workload before it is timed there; then all of them take turns in interleaved blocks, a few
      milliseconds each. Run by root, or with CAP_SYS_NICE, they go before other work of their container. A network's figure is
      the sum over its convolutions, each as often as it occurs, for each engine and for the best mix.

      EXAMPLES:
        assay bench --quick
        assay bench --depth 18,50 --batch 1 --threads 1,2 --engine direct --engine winograd4 --engine onnxruntime
        assay bench --filter '*k64r3s3*' --layout native --out Reports/mine
        assay bench --quick --engine pytorch --dtype bfloat16
        assay bench --operation 'batch_norm2d n8c64h56w56 training' --engine reference --engine mine=./my-engine
        assay bench --suite Benchmarks/operations.toml --engine reference --engine execution --engine pytorch
        assay bench --quick --engine direct --engine mine=./my-engine --strict
        assay bench --resume --out Reports/mine                after Ctrl-C
        assay bench --shard 1/3 --deadline 3000 --out shard-1    a third, in less than an hour

      Times that decide nothing (other work took the cores, or fewer than 6 blocks) are inconclusive, and nothing is compared.
      An engine that is wrong or failed is 1; interrupted, nothing timed, and times that decide nothing are 2. With --strict
      so is a table with holes: an engine that does not do a workload, or a time that it claims alone.

      \(Outcome.exitCodes)
      """)

  @OptionGroup var selection: BenchSelection

  @Flag(help: "Print each layer's times, not only the networks' sums.")
  var layers = false

  @Option(help: "Write run.json and every report to this folder.", completion: .directory)
  var out: String?

  @Flag(help: "Workloads that an engine does not do, and times that it claims alone, leave the whole undecided.")
  var strict = false

  @Flag(help: "Go on with the run in --out.")
  var resume = false

  @Flag(help: "List the workloads and stop; with --json as JSON, with what each costs.")
  var list = false

  @OptionGroup var json: JSONOption
  @OptionGroup var junit: JUnitOption

  @OptionGroup var shards: ShardOptions
  @OptionGroup var deadline: DeadlineOption

  @Flag(help: "Say what would be timed and stop.")
  var dryRun = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  @OptionGroup var colors: ColorOption

  func validate() throws {
    if out == "" { throw ValidationError("--out takes the path of a folder.") }
    if resume, out == nil { throw ValidationError("--resume needs --out.") }
  }

  func run() async throws {
    let suite = try selection.resolved()
    var plan = try selection.plan(suite)
    for hint in try selection.hints(suite) { Console.note(hint.printable) }
    let shard = try shards.chosen()
    // A workload takes its blocks, whatever it computes; what is verified before them takes more the larger it is.
    let work = WorkList(
      command: "bench", plan.items.map { .init(name: $0.name, cost: Double(suite.blocks) + $0.flops * 1e-9) })
    let part = work.part(shard)
    let names = Set(part.pieces.map(\.name))
    plan.keep { names.contains($0.name) }
    if list {
      try part.write(json: json.path)
      if plan.items.isEmpty { try Outcome.inconclusive.end() }
      return
    }
    guard !plan.items.isEmpty else { throw Outcome.inconclusive.ending("no workload matches") }
    if dryRun {
      // What warms up for parts takes up to as long as they do.
      let perSlice = suite.sliceMilliseconds * 2
      let seconds = Double(plan.items.count * suite.engines.count * suite.blocks) * perSlice / 1_000
      Console.print(
        "\(plan.items.count) workloads, \(suite.engines.joined(separator: ", ")), \(suite.blocks) blocks: about "
          + "\(NumberText.duration(seconds)) of timing, and verification before it")
      return
    }
    let chosenPlan = plan
    deadline.begin()
    BazelTest()?.acknowledgeShards()
    assay_keep_freed_memory()
    let chosen = try EngineLookup.engines(
      suite.engines, timeout: selection.engines.timeout, surroundings: selection.engines.surroundings.surroundings(),
      builtIn: BuiltInEngines.tuned)
    var run = try opened(suite, chosen)
    run.benchmark?.shard = shard?.record
    guard var section = run.benchmark else { throw Outcome.internalError.ending("no section to write") }
    // Written before anything is measured: a folder that cannot take the result is found out now.
    try save(&run, section)
    let progress = ProgressDisplay(isQuiet: quiet)
    let all = chosenPlan.items.count * suite.blocks
    /// Blocks of the workloads before this one.
    func done(_ workload: String) -> Int { (chosenPlan.items.firstIndex { $0.name == workload } ?? 0) * suite.blocks }
    let runner = BenchmarkRunner(
      plan: chosenPlan, suite: suite, engines: chosen.map(\.engine), seed: selection.seed, nulls: EngineLookup.nulls(),
      memory: MemoryProbe(program: EngineCatalog.thisProgram),
      onEvent: { event in
        switch event {
        case .measuringCeilings(let threads):
          progress.show("measuring peaks with \(threads) threads")
        case .verifying(let workload, let engine):
          progress.step(done: done(workload), of: all, subject: "verifying \(engine) on \(workload)")
        case .block(let workload, let block, _):
          progress.step(done: done(workload) + block, of: all, subject: workload)
        case .measuringMemory(let workload, let engine):
          progress.step(done: done(workload) + suite.blocks, of: all, subject: "memory of \(engine) on \(workload)")
        case .finished(let workload):
          let bad = workload.contestants.count { $0.status.isFault }
          progress.step(done: done(workload.name) + suite.blocks, of: all, failures: bad, subject: workload.name)
        }
      }, shouldStop: { Task.isCancelled })
    let known = Mutex(run)
    do {
      try Interruption.concluding {
        progress.clear()
        try report(known.withLock { $0 }, hasNetworks: !chosenPlan.networks.isEmpty)
      } while: {
        try runner.run(&section) { done in
          try save(&run, done)
          let saved = run
          known.withLock { $0 = saved }
        }
      }
    } catch {
      // A disk that is full keeps the last whole record; what was measured since is at least said.
      progress.clear()
      Console.print(BenchmarkTerminal(section, color: colors.color, showsLayers: true).text, terminator: "")
      throw error
    }
    progress.clear()
    try report(run, hasNetworks: !chosenPlan.networks.isEmpty)
  }

  private func report(_ run: Run, hasNetworks: Bool) throws {
    guard let section = run.benchmark else { return }
    Console.print(
      BenchmarkTerminal(section, color: colors.color, showsLayers: layers || !hasNetworks).text, terminator: "")
    explain(section)
    var run = run
    // What the run before it was, where there is one: the first question of whoever reads a second report.
    run.changes = out.flatMap { EarlierRun.beside($0, of: run) }.map {
      RunChanges.record(since: $0.run, at: $0.path, in: run)
    }
    if let changes = run.changes { Console.note(ChangesText.summary(changes)) }
    try reports.end(run)
  }

  private var reports: ReportOutput { ReportOutput(folder: out, junit: junit.path, files: json.files) }

  /// The run to add to: a new one, or with `--resume` the one in the folder.
  private func opened(_ suite: BenchmarkSuite, _ chosen: [(word: String, engine: any Engine)]) throws -> Run {
    let engines = chosen.map { word, engine in
      let description = engine.description
      var info = description.info
      if description.device != "cpu" { info["device"] = description.device }
      return BenchmarkEngine(
        name: description.name, version: description.version, isBuiltIn: description.isBuiltIn, command: word,
        info: info)
    }
    let names = engines.map(\.name)
    let baseline = names.contains("direct") ? "direct" : names[0]
    let options = BenchmarkOptions(
      blocks: suite.blocks, sliceMilliseconds: suite.sliceMilliseconds, cold: suite.cold, dtype: suite.dtype.rawValue,
      baseline: baseline)
    let fresh = BenchmarkSection(suite: suite.name, options: options, machine: MachineProbe.record(), engines: engines)
    var run = Run(provenance: .current(seed: selection.seed))
    run.benchmark = fresh
    try reports.check()
    // With nothing there, a run that goes on begins: so a scheduler gives one command, whatever came before.
    guard let out, FileManager.default.fileExists(atPath: "\(out)/run.json") else { return run }
    guard resume else {
      throw ValidationError("\(out) holds a run already: --resume goes on with it; give another --out for a new one.")
    }
    let earlier = try RunFile.read("\(out)/run.json")
    guard let section = earlier.benchmark else {
      throw Outcome.badData.ending("\(out)/run.json: expected a benchmark to go on with, found none")
    }
    var differences = earlier.differences(from: run) + section.differences(from: fresh)
    if earlier.provenance.seed != selection.seed {
      differences.append(
        RunDifference(name: "seed", first: "\(earlier.provenance.seed)", second: "\(selection.seed)"))
    }
    let parts = try [section.shard, shards.chosen()?.record].map { $0?.description ?? "all" }
    if parts[0] != parts[1] { differences.append(RunDifference(name: "shard", first: parts[0], second: parts[1])) }
    guard differences.isEmpty else {
      throw ValidationError(
        "\(out)/run.json was measured under other conditions, so nothing can be added to it:\n\(differences.lines)\n"
          + "Give the same, or another --out.")
    }
    return earlier
  }

  private func save(_ run: inout Run, _ section: BenchmarkSection) throws {
    run.benchmark = section
    run.benchmark?.strict = strict ? true : nil
    try reports.save(run)
  }

  /// Says on stderr what is wrong with a benchmark that does not hold, and the command for it.
  private func explain(_ section: BenchmarkSection) {
    for (engine, why) in section.timedNowhere { Console.note("\(engine) was timed nowhere: \(why)".printable) }
    let conclusion = section.conclusion
    guard conclusion.outcome != .holds else { return }
    Console.error(conclusion.text)
    let command = ShellCommand(["assay"] + CommandLine.arguments.dropFirst())
    let contestants = section.workloads.flatMap { workload in workload.contestants.map { (workload, $0) } }
    if let (workload, bad) = contestants.first(where: { $0.1.status.isFault }) {
      let again = BenchmarkReproduction.command(
        bad, on: workload, of: section, seed: selection.seed, given: command)
      Console.note("\(bad.engine) on \(workload.name): \(bad.status.rawValue)".printable)
      for line in FailureText.details(bad) { Console.note("  \(line)") }
      Console.note("repeat: \(again)")
    }
    if !section.complete {
      Console.note(
        out == nil
          ? "nothing is kept without --out"
          : "go on with: \(command.without(flags: ["--resume"]).adding("--resume"))")
    }
  }
}
