import Foundation
import Reporting
import Results

/// The gate's own test on stdout: a table by family, or every mutant; what survived, and what is wrong with correct code.
struct SelftestTerminal {
  let section: SelfTestSection
  let color: TerminalColor
  let showsEverything: Bool

  func printReport() {
    if !showsEverything { printFamilies() }
    var family = ""
    for mutant in showsEverything ? section.mutants : section.survivors {
      if mutant.family != family {
        family = mutant.family
        Console.print(family)
      }
      let state =
        mutant.notRun != nil
        ? color.doubtful("not run ") : mutant.isKilled ? color.good("killed  ") : color.bad("SURVIVED")
      Console.print("  \(state)  \(mutant.name)")
      if let kill = mutant.verifyKill {
        let ratio = mutant.verifyRatio.map { "  error/bound \(NumberText.short($0))" } ?? ""
        Console.print("            verify \(kill)\(ratio)")
        if showsEverything, let detail = mutant.verifyDetail { Console.print("              \(detail)") }
      }
      if showsEverything { printExplanations(mutant) }
      if let kill = mutant.gradcheckKill {
        Console.print("            gradcheck \(kill)  error/bound \(NumberText.short(mutant.gradcheckRatio ?? 0))")
        if showsEverything, let detail = mutant.gradcheckDetail { Console.print("              \(detail)") }
      }
      if let kill = mutant.fuzzKill {
        Console.print("            fuzz \(kill)  after \(mutant.fuzzCases ?? 0) random problems")
      }
      if let kill = mutant.probeKill { Console.print("            probe: \(kill)") }
      if let kill = mutant.benchKill { Console.print("            bench: \(kill)") }
      for detail in [mutant.benchDetail, mutant.isKilled ? nil : mutant.verifyDetail].compactMap(\.self) {
        Console.print("              \(detail.printable)")
      }
      if showsEverything, let seconds = mutant.seconds {
        Console.print("              in \(NumberText.duration(seconds))")
      }
    }
    if let reason = section.notRun.first?.notRun {
      Console.print("not run: \(section.notRun.count) mutants: \(reason)")
    }
    for alarm in section.falseAlarms { Console.print(color.bad("FALSE ALARM") + "  \(alarm)") }
    let verdict =
      "\(section.score); \(section.falseAlarms.count) false alarms in \(section.checksOfCorrectCode) checks of correct code "
      + "(\(section.seedCount) seeds); " + String(format: "%.1f s", section.seconds)
    Console.print(color.painted(verdict, as: section.conclusion.outcome))
    if let score = section.fuzzScore { Console.print("of size classes \(score)") }
    for line in section.explanationScore ?? [] { Console.print(line) }
    if let score = section.firstProtocolScore { Console.print("for comparison, \(score)") }
  }

  /// A line for each family of mutants.
  private func printFamilies() {
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
}
