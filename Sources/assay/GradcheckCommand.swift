import ArgumentParser
import Engines
import Foundation
import GoldenFiles
import GradientChecking
import Operations
import Problems
import Reporting
import Results
import Synchronization
import Tensors

extension GradientCheck.Method: ExpressibleByArgument {}

/// `assay gradcheck`: backward passes against derivatives that they had no part in.
struct GradcheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gradcheck",
    abstract: "Check gradients, element by element, each with a bound of its own.",
    discussion: """
      Without arguments every layer and loss of the reference is checked, in training and evaluation, over its edge
      cases: linear maps exactly on integers, all others by dual numbers and by finite differences. An engine's backward pass
      is held against the reference's forward; that of a custom operation against its own.

      EXAMPLES:
        assay gradcheck
        assay gradcheck --operation 'conv2d n2c8h8w8 k8r3s3 stride1 pad1'
        assay gradcheck --operation 'batch_norm2d n8c4h14w14 training' --engine reference --dtype float32
        assay gradcheck --fuzz 20 --seed 7
        assay gradcheck --model resnet50 --size 32
        assay gradcheck --model cifar_resnet8 --spoil layer2.0.conv2
        assay gradcheck --model cifar_resnet8 --engine execution --training --batch 4
        assay gradcheck --golden Fixtures/batch_norm2d.h5 --filter '*training*'
        assay gradcheck --golden mine.h5 --engine mine='./engine --fast' --dtype float32
        assay gradcheck --json bad.jsonl --junit gradients.xml --out Reports/gradients
        assay gradcheck --shard 1/3 --out shard-1 --resume
        assay gradcheck --list --json

      \(Outcome.exitCodes)
      """)

  @Option(help: "A problem's text form. May be repeated.")
  var operation: [String] = []

  @Option(
    parsing: .upToNextOption, help: "Golden files, or folders of them: cases that have gradients.",
    completion: .file(extensions: ["h5", "hdf5"]))
  var golden: [String] = []

  @Option(help: "A whole network, such as resnet50, with frozen gates. May be repeated.")
  var model: [String] = []

  @Option(help: "The network's input, height and width in pixels.")
  var size = 32

  @Option(help: "The network's batch.")
  var batch = 1

  @Flag(help: "The network in training, with batch statistics.")
  var training = false

  @Option(
    help: ArgumentHelp(
      "In place of the list, so many random problems of each operation that has gradients, 1 to 10000, drawn from --seed.",
      valueName: "n"))
  var fuzz: Int?

  @OptionGroup var engines: EngineOptions

  @Option(
    help: """
      Precision of the backward pass: float64 or float32. May be repeated (default: float64, and float32 of an engine that does \
      not have that).
      """)
  var dtype: [Precisions] = []

  @Option(
    help: """
      Only checks whose name matches this glob; '*' crosses slashes, and '=NAME' is a name as it is. May be \
      repeated.
      """)
  var filter: [String] = []

  @Option(help: "How derivatives are determined: automatic, adjoint, differences or dual.")
  var method: GradientCheck.Method = .automatic

  @Flag(
    help: "Leave out the contracts of every backward pass: linearity in the cotangent, symmetric second derivatives, …")
  var skipContracts = false

  @Flag(help: "Look at every element, whatever it costs.")
  var exhaustive = false

  @Option(
    help: """
      Make this wrong first, to see what a failure looks like: an element of a gradient ('weight[3,0,1,2]') or a layer of \
      a network ('layer2.0.conv2').
      """)
  var spoil: String?

  @Option(help: "Seed of operands, cotangents and directions.")
  var seed: UInt64 = 1

  @Option(help: "How many evaluations run at once (default: as many as there are cores).")
  var jobs: Int?

  @Option(
    help: "Write the bad elements as JSON Lines to this file; with --list, the list as JSON.",
    completion: .file(extensions: ["jsonl"]))
  var json: String?

  @OptionGroup var junit: JUnitOption

  @Option(help: "Write run.json, bad.jsonl and every report to this folder.", completion: .directory)
  var out: String?

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "One line for each check that passes, too.")
  var verbose = false

  @OptionGroup var colors: ColorOption

  @Flag(help: "List the checks and stop; with --json as JSON, with what each costs.")
  var list = false

  @Flag(help: "Go on with the run in --out, or begin it: checks that are done there are not done again.")
  var resume = false

  @OptionGroup var shards: ShardOptions
  @OptionGroup var deadline: DeadlineOption
  @OptionGroup var threads: ThreadOption
  @OptionGroup var limits: CaseLimitOptions

  /// Those that were asked for; none where the engines decide.
  private var dtypes: [DType] {
    get throws { try Precisions.chosen(dtype, standard: [], among: [.float64, .float32]) }
  }

  func validate() throws {
    _ = try dtypes
    if resume, out == nil { throw ValidationError("--resume needs --out: the folder of the run that goes on.") }
    if spoil != nil, operation.isEmpty, model.isEmpty {
      throw ValidationError("--spoil goes with --operation or --model.")
    }
    try OptionRange.require(jobs, "--jobs", in: OptionRange.jobs)
    if [!operation.isEmpty, !golden.isEmpty, !model.isEmpty, fuzz != nil].count(where: { $0 }) > 1 {
      throw ValidationError("--operation, --golden, --model and --fuzz exclude one another.")
    }
    try OptionRange.require(fuzz, "--fuzz", in: 1...OptionRange.freshCases.upperBound)
    try OptionRange.require(size, "--size", in: OptionRange.imageSize)
    try OptionRange.require(batch, "--batch", in: OptionRange.batch)
  }

  /// Those that can be found: what is wrong with the others is said when they are opened.
  private var goldenFiles: [String] { (try? GoldenCorpus.files(at: golden)) ?? [] }

  private var options: GradientCheck.Options {
    var options = GradientCheck.Options()
    options.seed = seed
    options.threads = jobs ?? ProcessInfo.processInfo.activeProcessorCount
    options.exhaustive = exhaustive
    options.method = method
    options.contracts = !skipContracts
    return options
  }

  func run() async throws {
    deadline.begin()
    if !list { try reports.check() }
    let stop = StopFlag()
    let nothing = Mutex<[String]>([])
    let plan = try plan(stop: stop) { name, reason in nothing.withLock { $0.append("\(name.printable): \(reason)") } }
    if list {
      return try WorkList(
        command: "gradcheck", plan.items.map { .init(name: $0.name, file: $0.file, cost: $0.cost) }
      ).write(json: json)
    }
    BazelTest()?.acknowledgeShards()
    let provenance = Provenance.current(seed: seed)
    let journal = ResultJournal<[GradientRecord]>(out: out)
    let earlier: [String: [GradientRecord]]
    switch try journal.begin(provenance, conditions: conditions(plan), resumes: resume) {
    case .complete(let run): return try report(run)
    case .open(let done): earlier = done
    }
    if !earlier.isEmpty { Console.note("going on: \(earlier.count) checks are done") }
    let log = GradcheckLog(plan: plan, color: colors.color, isQuiet: quiet, isVerbose: verbose)
    try await Interruption.concluding {
      try end(log, plan)
    } while: {
      try await withTaskCancellationHandler {
        for item in plan.items where !Task.isCancelled {
          if let done = earlier[item.key] {
            log.carry(done, of: item)
            continue
          }
          var own: [GradientRecord]? = []
          do {
            try item.run { record in
              own?.append(record)
              log.note(record, stopped: Task.isCancelled)
            }
          } catch let error as GoldenFileError {
            own = nil
            log.note(error)
          }
          if !Task.isCancelled {
            if let own { journal.add(own, for: item.key) }
            log.finish(item)
          }
        }
      } onCancel: {
        stop.raise()
      }
    }
    let isComplete = !Task.isCancelled
    let reasons = nothing.withLock { $0 }
    if let first = reasons.first, log.isEmpty {
      Console.note("nothing to check in \(reasons.count) cases without gradients; the first is \(first)")
    }
    try journal.concluding(isComplete: isComplete) { try end(log, plan) }
  }

  /// What is asked for, as checks that have not begun.
  private func plan(
    stop: StopFlag, onNothing: @escaping @Sendable (_ name: String, _ reason: String) -> Void
  ) throws -> GradcheckPlan {
    var options = options
    options.stop = stop
    let settings = GradcheckPlan.Settings(
      options: options,
      engines: try EngineLookup.engines(
        engines.words, timeout: engines.timeout, surroundings: engines.surroundings.surroundings(hiding: goldenFiles)),
      dtypes: try dtypes, threads: try threads.counts, limits: limits.limits(), spoil: spoil,
      reproduction: GradcheckReproduction(
        seed: seed, method: method, skipContracts: skipContracts, exhaustive: exhaustive, timeout: engines.timeout,
        threads: try threads.counts, surroundings: engines.surroundings.words, limits: limits.words, spoil: spoil))
    var plan: GradcheckPlan
    if golden.isEmpty {
      let models = model.map { name in
        "resnet n\(batch)c3h\(size)w\(size) arch\(name) classes10" + (training ? " training" : "")
      }
      let named = operation + models
      do throws(ProblemError) {
        plan = try GradcheckPlan(
          named.isEmpty
            ? fuzz.map(randomCases) ?? OperationRegistry.gradientCases : named.map { GradientCase($0) }, settings)
      } catch { throw ValidationError("\(error)") }
    } else {
      plan = GradcheckPlan(
        golden: try GoldenCorpus.files(at: golden), reader: try limits.reader(), settings, onNothing: onNothing)
    }
    for (_, engine) in settings.engines { plan.versions[engine.description.name] = engine.description.version }
    for error in plan.errors { GoldenSession.report(error) }
    plan.select((filter.isEmpty ? BazelTest()?.filter.map { [$0] } ?? [] : filter).map { NamePattern($0) })
    for hint in plan.hints { Console.note(hint.printable) }
    plan.keep(try shards.chosen())
    return plan
  }

  /// What must be equal for records to be taken up again, besides the command.
  private func conditions(_ plan: GradcheckPlan) -> [String: String] {
    var found = plan.digests
    if let shard = plan.shard { found["shard"] = shard.description }
    for (name, version) in plan.versions { found["version of \(name)"] = version }
    return found
  }

  /// Problems small enough for every element of them to be looked at, and none of which has nothing to look at.
  private func randomCases(_ count: Int) -> [GradientCase] {
    OperationRegistry.all.filter { $0.gradientCases.value != nil }.flatMap { type -> [GradientCase] in
      guard let draw = type.problemDraw.value else { return [] }
      var found: [GradientCase] = []
      var stream = SplitMix64(seed: seed)
      while found.count < count {
        let problem = draw.problem(seed: stream.next(), within: .tiny).problem
        let isEmpty = problem.operands.inputs.values.contains { $0.shape.count == 0 }
        if !isEmpty { found.append(GradientCase(problem.text)) }
      }
      return found
    }
  }

  /// Prints and writes what was found; throws the exit code.
  private func end(_ log: GradcheckLog, _ plan: GradcheckPlan) throws {
    var section = log.section
    section.badFiles += plan.errors.map(\.description)
    var run = Run(provenance: .current(seed: seed))
    run.gradients = section
    try report(run)
  }

  private func report(_ run: Run) throws {
    if let section = run.gradients { GradcheckTerminal(color: colors.color).print(section) }
    try reports.end(run)
  }

  private var reports: ReportOutput {
    let lines: (Run) throws -> Data = { run in try run.gradients.map(BadElementLines.data) ?? Data() }
    return ReportOutput(
      folder: out, junit: junit.path, files: json.map { [.init(path: $0, content: lines)] } ?? [],
      extras: { run in [ReportFolder.File("bad.jsonl", try lines(run))] })
  }
}

/// The failing and inconclusive elements, one JSON object a line.
enum BadElementLines {
  private struct Line: Encodable {
    var check: String
    var engine: String
    var dtype: String
    var method: String
    var bound: Double
    var element: GradientElementRecord
  }

  static func data(_ section: GradientSection) throws -> Data {
    var data = Data()
    for record in section.records {
      for tensor in record.tensors {
        for element in tensor.badElements {
          let line = Line(
            check: record.name, engine: record.engine, dtype: record.dtype, method: tensor.method.rawValue,
            bound: element.bound, element: element)
          data += try JSONText.data(line, isPretty: false)
        }
      }
    }
    return data
  }
}
