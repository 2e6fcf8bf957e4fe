import ArgumentParser
import CShims
import Engines
import Foundation
import GoldenFiles
import Problems
import Reporting
import Results
import SelfTest
import Tensors
import Verification

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check engines against golden tensors, or on a problem of your own, element by element.",
    discussion: """
      Every case is computed by every engine in every precision and held against the file's expected tensors with an error
      bound for each element. METHODOLOGY.md derives the bounds; Fixtures/FORMAT.md describes the files.

      EXAMPLES:
        assay verify                                           the corpus, with the reference
        assay verify --filter 'conv2d/stride2/*' --dtype float32
        assay verify --golden mine.h5 --engine reference --strict
        assay verify --operation 'conv2d n8c64h56w56 k64r3s3 stride1 pad1' --engine mine=./my-engine
        assay verify --engine mine=./my-engine --exclude 'conv2d/adversarial/*' --pass forward --no-refusals
        assay verify --tag smoke --out Reports/today --junit results.xml
        assay verify --shard 2/4 --out shard-2 --resume       one of four machines; begins, or goes on after a kill
        assay verify --tag smoke --list --json                cases with their costs

      A FAIL, ERROR or VACUOUS is 1; cases that were NOT RUN (their engine never started), or none at all, are 2.

      \(Outcome.exitCodes)
      """)

  @OptionGroup var selection: VerifySelection
  @OptionGroup var limits: CaseLimitOptions
  @OptionGroup var output: VerifyOutput
  @OptionGroup var deadline: DeadlineOption

  @Flag(help: "Count UNSUPPORTED as a failure, and ask built-in engines twice as well.")
  var strict = false

  @Option(
    help: "Failures to excuse for a while (default: \(VerifySelection.standardKnownFailures), where there is one).",
    completion: .file(extensions: ["toml"]))
  var knownFailures: String?

  @Flag(
    help: """
      Also measure how much of their bounds each engine uses, on 10^6 random elements an operation in each precision, and \
      how its errors are spread.
      """)
  var calibrate = false

  @Flag(help: "List the selected cases and stop; with --json as JSON, with what each costs.")
  var list = false

  @Flag(help: "Go on with the run in --out, or begin it: cases that are done there are not done again.")
  var resume = false

  @Flag(help: "Say what would be run and stop.")
  var dryRun = false

  func validate() throws {
    if resume, output.out == nil { throw ValidationError("--resume needs --out: the folder of the run that goes on.") }
  }

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    deadline.begin(environment)
    let (selected, manifestProblems) = try selection.plan(
      strict: strict, knownFailures: knownFailures, limits: limits, environment: environment)
    let reader = try limits.reader()
    let planned = Verifier(plan: selected, reader: reader)
    let isChoice = !selected.filters.isEmpty || !selected.tags.isEmpty || !selected.excludes.isEmpty
    if isChoice { for hint in planned.hints() { Console.note(hint.printable) } }
    if list || dryRun { return try describe(planned, manifestProblems) }
    try output.reports.check()
    BazelTest(environment)?.acknowledgeShards()
    giveLargeTensorsBack(selected)
    let provenance = Provenance.current(seed: selection.fresh.chosenSeed)
    let journal = ResultJournal<[CaseResult]>(out: output.out)
    let done: [String: [CaseResult]]
    switch try journal.begin(provenance, conditions: conditions(planned), resumes: resume) {
    case .complete(let run): return try report(run)
    case .open(let earlier): done = earlier
    }
    if !done.isEmpty { Console.note("going on: \(done.count) cases are done") }

    if let fresh = selected.fresh { Console.note(fresh.summary) }
    let progress = ProgressDisplay(isQuiet: output.quiet)
    let verifier = planned.goingOn(from: done) { done, total, results in
      // An engine that a signal reached has not failed, and one that never started may do so yet.
      if let first = results.first, !Interruption.isRequested, !results.contains(where: { $0.status == .notRun }) {
        journal.add(results, for: Verifier.key(file: first.file, name: first.name))
      }
      if mayHoldNetworks(selected) { assay_give_back_free_memory() }
      progress.step(
        done: done, of: total, failures: results.count { $0.counts(strict: selected.strict) },
        subject: results.first?.name ?? "")
    }
    let problems = manifestProblems
    let section = try await Interruption.concluding {
      progress.clear()
      try conclude(verifier.interruptedSection(), problems, provenance)
    } while: {
      var section = await verifier.run()
      if calibrate, !Task.isCancelled { section.calibration = try await calibration(selected, progress) }
      return section
    }
    progress.clear()
    // An engine that did not start may start the next time.
    let isComplete = !section.interrupted && !section.results.contains { $0.status == .notRun }
    try journal.concluding(isComplete: isComplete) { try conclude(section, problems, provenance) }
  }

  /// What must be equal for results to be taken up again, besides the command.
  private func conditions(_ verifier: Verifier) -> [String: String] {
    let planned = verifier.plannedSection()
    var found: [String: String] = ["known failures": planned.knownFailuresSha256 ?? "none"]
    for engine in planned.engines { found["version of \(engine.name)"] = engine.version }
    for file in planned.files { found["SHA-256 of \(file.path)"] = file.sha256 }
    if let shard = planned.shard { found["shard"] = shard.description }
    return found
  }

  private func conclude(
    _ found: VerificationSection, _ manifestProblems: [FileRecord], _ provenance: Provenance
  ) throws {
    var section = found
    section.files += manifestProblems
    var run = Run(provenance: provenance)
    run.verification = section
    try report(run)
  }

  private func report(_ run: Run) throws {
    if let section = run.verification {
      VerifyTerminal(section: section, color: output.colors.color, showsEverything: output.verbose).printReport()
    }
    try output.reports.end(run)
  }

  private func describe(_ verifier: Verifier, _ problems: [FileRecord]) throws {
    let (cases, records) = verifier.selection()
    if list {
      let pieces =
        output.json.path == nil
        ? cases.map { WorkList.Piece(name: $0.summary.name, file: $0.file, cost: 1) }
        : verifier.costs().map { WorkList.Piece(name: $0.name, file: $0.file, cost: $0.cost) }
      try WorkList(command: "verify", pieces).write(json: output.json.path)
    } else {
      let engines = verifier.plan.engines.map(\.description.name).joined(separator: ", ")
      let dtypes = verifier.plan.dtypes.map(\.rawValue).joined(separator: ", ")
      Console.print(
        "\(cases.count) cases of \(records.count) files on \(engines) in \(dtypes): "
          + "\(cases.count * verifier.plan.engines.count * verifier.plan.dtypes.count) results")
    }
    let errors = (records + problems).flatMap(\.errors)
    for error in errors { Console.error("\(error)") }
    if !errors.isEmpty { try Outcome.badData.end() }
    if cases.isEmpty { try Outcome.inconclusive.end() }
  }

  /// Of float32 and types of 16 bits; float64 is what they are measured by.
  private func calibration(_ plan: VerificationPlan, _ progress: ProgressDisplay) async throws -> [CalibrationRecord] {
    var records: [CalibrationRecord] = []
    for engine in plan.engines {
      let isReference = engine.description.isBuiltIn && engine.description.name == ReferenceEngine().description.name
      for dtype in plan.dtypes where dtype != .float64 {
        // In 16 bits the reference is float32's, with each result rounded once.
        let asked: any Engine = isReference && dtype.isNarrow ? NarrowReference() : engine
        guard asked.description.dtypes.contains(dtype) else { continue }
        let calibration = Calibration(engine: asked, dtype: dtype, seed: selection.fresh.chosenSeed)
        let found = try await calibration.run { problem in
          progress.show("calibrating \(engine.description.name) on \(problem) in \(dtype.rawValue)")
        }
        records += found.map { record in
          var named = record
          named.engine = isReference ? nil : engine.description.name
          return named
        }
      }
    }
    return records
  }

  /// Large networks are asked for by tag or name.
  private func mayHoldNetworks(_ plan: VerificationPlan) -> Bool {
    !plan.tags.isEmpty || !plan.filters.isEmpty || plan.fresh?.isOfNamedProblems == true
  }

  /// The corpus's tensors from a megabyte on: left alone glibc keeps 490 to 550 MB at its peak in place of 430 to 510. Those of
  /// networks from 32 MB on: layers take what others have left, where clearing pages anew was a third of the time, and still a tenth
  /// where what lay at the heap's end was given back. What is left of a whole network is given back after it.
  private func giveLargeTensorsBack(_ plan: VerificationPlan) {
    guard mayHoldNetworks(plan) else { return assay_give_back_from(1 << 20) }
    assay_give_back_from(32 << 20)
    assay_keep_at_ends(256 << 20)
  }
}
