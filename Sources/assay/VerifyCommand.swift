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
    abstract: "Check engines against golden tensors, element by element.",
    discussion: """
      Every case is computed by every engine in every precision and held against the file's expected tensors with an error
      bound for each element. METHODOLOGY.md derives the bounds; Fixtures/FORMAT.md describes the files.

      EXAMPLES:
        assay verify                                           the corpus, with the reference
        assay verify --filter 'conv2d/stride2/*' --dtype float32
        assay verify --golden mine.h5 --engine reference --strict
        assay verify --tag smoke --out Reports/today --junit results.xml

      A FAIL, ERROR or VACUOUS is 1; cases that were NOT RUN (their engine never started), or none at all, are 2.

      \(Outcome.exitCodes)
      """)

  @OptionGroup var selection: VerifySelection
  @OptionGroup var limits: CaseLimitOptions
  @OptionGroup var output: VerifyOutput

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

  @Flag(help: "List the selected cases and stop.")
  var list = false

  @Flag(help: "Say what would be run and stop.")
  var dryRun = false

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let (plan, manifestProblems) = try selection.plan(
      strict: strict, knownFailures: knownFailures, limitWords: limits.words, environment: environment)
    let reader = try limits.reader()
    if list || dryRun { return try describe(Verifier(plan: plan, reader: reader), manifestProblems) }
    try output.reports.check()
    touchShardStatusFile(environment)
    giveLargeTensorsBack(plan)

    if let fresh = plan.fresh { Console.note(fresh.summary) }
    let progress = ProgressDisplay(isQuiet: output.quiet)
    let verifier = Verifier(plan: plan, reader: reader) { done, total, results in
      if mayHoldNetworks(plan) { assay_give_back_free_memory() }
      progress.step(
        done: done, of: total, failures: results.count { $0.counts(strict: plan.strict) },
        subject: results.first?.name ?? "")
    }
    let provenance = Provenance.current(seed: selection.fresh.chosenSeed)
    let section = try await Interruption.concluding {
      progress.clear()
      try conclude(verifier.interruptedSection(), manifestProblems, provenance)
    } while: {
      var section = await verifier.run()
      if calibrate, !Task.isCancelled { section.calibration = try await calibration(plan, progress) }
      return section
    }
    progress.clear()
    try conclude(section, manifestProblems, provenance)
  }

  private func conclude(
    _ found: VerificationSection, _ manifestProblems: [FileRecord], _ provenance: Provenance
  ) throws {
    var section = found
    section.files += manifestProblems
    var run = Run(provenance: provenance)
    run.verification = section
    VerifyTerminal(section: section, color: output.color, showsEverything: output.verbose).printReport()
    try output.reports.end(run)
  }

  private func describe(_ verifier: Verifier, _ problems: [FileRecord]) throws {
    let (cases, records) = verifier.selection()
    if list {
      for item in cases { Console.print(item.summary.name.printable) }
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

  /// Bazel learns from this file that the test understands sharding.
  private func touchShardStatusFile(_ environment: [String: String]) {
    if let path = environment["TEST_SHARD_STATUS_FILE"], !path.isEmpty {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
  }

  /// Large networks are asked for by tag or name.
  private func mayHoldNetworks(_ plan: VerificationPlan) -> Bool { !plan.tags.isEmpty || !plan.filters.isEmpty }

  /// The corpus's tensors from a megabyte on: left alone glibc keeps 490 to 550 MB at its peak in place of 430 to 510. Those of
  /// networks from 32 MB on: layers take what others have left, where clearing pages anew was a third of the time. What is left of a
  /// whole network is given back after it.
  private func giveLargeTensorsBack(_ plan: VerificationPlan) {
    assay_give_back_from(mayHoldNetworks(plan) ? 32 << 20 : 1 << 20)
  }
}
