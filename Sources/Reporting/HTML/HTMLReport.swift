import Foundation
import Results

/// What a reader wants to see first of a run's page.
public struct ReportView: Sendable, Hashable {
  /// The engine whose view of a benchmark is open, with all its layers.
  public var engine: String?

  public init(engine: String? = nil) { self.engine = engine }
}

/// `report.html`: one file with every picture and table of a run, made from its record alone.
public enum HTMLReport {
  /// - Parameters:
  ///   - run: what is reported.
  ///   - view: whose view is wanted.
  /// - Throws: a parse error of the template, which is part of this program.
  public static func text(_ run: Run, view: ReportView = ReportView()) throws -> String {
    try HTMLTemplate.library().render(page(run, view), withTemplate: "page") ?? ""
  }

  /// Each picture of the page as a file of its own, `pictures/layers.svg` and so on, for other pages to show.
  static func pictures(_ run: Run) -> [(name: String, data: Data)] {
    page(run, ReportView()).sections.flatMap { section in
      section.allFigures.enumerated().map { index, figure in
        let name = "pictures/\(section.anchor)" + (index == 0 ? "" : "-\(index + 1)") + ".svg"
        return (name, Data(SVGCanvas.standalone(figure.svg, style: HTMLStyle.text).utf8))
      }
    }
  }

  static func page(_ run: Run, _ view: ReportView) -> HTMLPage {
    var sections: [HTMLPage.Section] = []
    if let duet = run.duet { sections.append(DuetPage.section(duet)) }
    if let fault = run.benchmark.flatMap({ FaultPage.section($0, run.provenance) }) { sections.append(fault) }
    if let changes = run.changes { sections.append(ChangesPage.section(changes)) }
    if let benchmark = run.benchmark {
      sections += BenchmarkPage.sections(benchmark, run.provenance, engine: view.engine)
    }
    if let history = run.history { sections.append(HistoryPage.section(history)) }
    let verification = run.verification.map(VerificationPage.section)
    // What is wrong comes before everything that is only slower.
    if let verification, run.verification?.conclusion.outcome != .holds {
      sections.insert(verification, at: 0)
    } else if let verification {
      sections.append(verification)
    }
    if let fuzzing = run.fuzzing { sections.append(FuzzingPage.section(fuzzing)) }
    if let gradients = run.gradients { sections.append(GradientPage.section(gradients)) }
    if let training = run.training { sections.append(TrainingPage.section(training)) }
    if let selfTest = run.selfTest { sections.append(SelfTestPage.section(selfTest)) }
    let shown = sections.filter { !$0.isEmpty }
    let glossary = Glossary.entries(for: shown.flatMap(\.texts))
    return HTMLPage(
      title: "Assay report", subtitle: run.provenance.commandLine, style: HTMLStyle.text, script: HTMLScript.text,
      verdicts: VerdictBanner.verdicts(run), facts: RunFacts.facts(of: run).map(HTMLPage.Fact.init),
      properties: properties(run), sections: shown,
      glossary: glossary.isEmpty ? nil : HTMLPage.Glossary(entries: glossary))
  }

  private static func priority(_ nice: Int?) -> String { nice.map { "nice \($0)" } ?? "as everything else" }

  private static func properties(_ run: Run) -> [HTMLPage.Property] {
    let origin = run.provenance
    let commit = origin.gitCommit.map { String($0.prefix(12)) + (origin.gitDirty == true ? ", changed" : "") }
    var found: [(String, String?)] = [
      ("Started", origin.started), ("Assay", origin.assayVersion), ("Commit", commit), ("Compiler", origin.compiler),
      ("Flags", origin.compilerFlags), ("System", origin.operatingSystem),
      ("CPU", "\(origin.cpuModel), \(origin.coreCount) cores"), ("Seed", "\(origin.seed)"),
    ]
    if let section = run.benchmark {
      let machine = section.machine
      let caches = [machine.l1DataBytes, machine.l2Bytes, machine.l3Bytes].map { bytes in
        bytes.map { $0 >= 1 << 20 ? "\($0 >> 20) MiB" : "\($0 >> 10) KiB" } ?? "unknown"
      }
      found += [
        ("Instruction set", machine.selectedInstructionSet), ("L1 data, L2, L3", caches.joined(separator: ", ")),
        ("Governor", machine.governor ?? "not told"),
        ("Steal time", machine.stealFraction.map { String(format: "%.2f %%", 100 * $0) } ?? "not told"),
        (
          "Load before, after",
          [machine.loadBefore, machine.loadAfter].map { $0.map { "\($0)" } ?? "not told" }.joined(separator: ", ")
        ),
        ("Blocks", "\(section.options.blocks) of \(ChartScale.label(section.options.sliceMilliseconds)) ms"),
        ("Pinned to cores", section.options.pinned ? "yes" : "no"),
        ("Priority", priority(section.options.nice)),
      ]
      for ceiling in section.ceilings {
        let l3 = ceiling.l3GigabytesPerSecond.map { ", L3 \(BenchmarkText.ratio($0))" } ?? ""
        found.append(
          (
            "Peaks, \(BenchmarkText.threads(ceiling.threads))",
            "\(BenchmarkText.ratio(ceiling.peakGigaflops)) GF/s; L2 \(BenchmarkText.ratio(ceiling.l2GigabytesPerSecond))\(l3), "
              + "memory \(BenchmarkText.ratio(ceiling.memoryGigabytesPerSecond)) GB/s"
          ))
      }
    }
    if let gate = run.duet { found.append(("Priority in the gate", priority(gate.nice))) }
    return found.compactMap { name, value in value.map { HTMLPage.Property(name: name, value: $0) } }
  }
}
