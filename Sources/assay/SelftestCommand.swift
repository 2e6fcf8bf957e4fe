import ArgumentParser
import Foundation
import GoldenFiles
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

      A mutant that survives and a false alarm are 1.

      \(Outcome.exitCodes)
      """)

  @Flag(help: "Three seeds in place of twenty.")
  var smoke = false

  @Option(help: "The golden corpus.", completion: .directory)
  var golden = GoldenCorpus.standardFolder

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

  private var reports: ReportOutput { ReportOutput(folder: out) }

  func validate() throws { try OptionRange.require(jobs, "--jobs", in: OptionRange.jobs) }

  func run() async throws {
    try reports.check()
    let progress = ProgressDisplay(isQuiet: quiet)
    let provenance = Provenance.current(seed: seed)
    let started = Mutex<SelfTest?>(nil)
    let section = try Interruption.concluding {
      progress.clear()
      // A signal may come while the corpus is read.
      var found = started.withLock { $0 }?.interruptedSection() ?? SelfTestSection()
      found.interrupted = true
      try conclude(found, provenance)
    } while: {
      let test = try makeTest()
      started.withLock { $0 = test }
      return try test.run { done, total, subject in
        progress.step(done: done, of: total, subject: subject)
      }
    }
    progress.clear()
    try conclude(section, provenance)
  }

  private func makeTest() throws -> SelfTest {
    let reader = try GoldenSession.reader()
    let files = try GoldenCorpus.files(at: [golden]).map { try reader.open($0) }
    return try SelfTest(
      files: files, seeds: smoke ? 3 : 20, threads: jobs ?? ProcessInfo.processInfo.activeProcessorCount, seed: seed)
  }

  private func conclude(_ section: SelfTestSection, _ provenance: Provenance) throws {
    printReport(section)
    var run = Run(provenance: provenance)
    run.selfTest = section
    try reports.end(run)
  }

  /// A line for each family of mutants.
  private func printFamilies(_ section: SelfTestSection) {
    var families: [String] = []
    for mutant in section.mutants where !families.contains(mutant.family) { families.append(mutant.family) }
    let rows = families.map { family in
      let mutants = section.mutants.filter { $0.family == family }
      return [family, "\(mutants.count)", "\(mutants.count(where: \.isKilled))"]
    }
    Console.print(TextTable(["family", "mutants", "killed"], rows).text, terminator: "")
  }

  private func printReport(_ section: SelfTestSection) {
    if !verbose { printFamilies(section) }
    var family = ""
    for mutant in verbose ? section.mutants : section.survivors {
      if mutant.family != family {
        family = mutant.family
        Console.print(family)
      }
      Console.print("  \(mutant.isKilled ? "killed  " : "SURVIVED")  \(mutant.name)")
      if let kill = mutant.verifyKill {
        Console.print("            verify \(kill)  error/bound \(NumberText.short(mutant.verifyRatio ?? 0))")
        if verbose, let detail = mutant.verifyDetail { Console.print("              \(detail)") }
      }
      if let kill = mutant.gradcheckKill {
        Console.print("            gradcheck \(kill)  error/bound \(NumberText.short(mutant.gradcheckRatio ?? 0))")
        if verbose, let detail = mutant.gradcheckDetail { Console.print("              \(detail)") }
      }
      if let kill = mutant.probeKill { Console.print("            probe: \(kill)") }
    }
    for alarm in section.falseAlarms { Console.print("FALSE ALARM  \(alarm)") }
    Console.print(
      "\(section.mutants.count - section.survivors.count) of \(section.mutants.count) mutants killed; "
        + "\(section.falseAlarms.count) false alarms in \(section.checksOfCorrectCode) checks of correct code "
        + "(\(section.seedCount) seeds); "
        + String(format: "%.1f s", section.seconds))
    if section.conclusion.outcome != .holds {
      Console.print("repeat: assay selftest --seed \(seed)" + (smoke ? " --smoke" : "") + " --verbose")
    }
  }
}
