import Reporting
import Results

/// Fuzzing on stdout: a table by operation, the failures, the verdict.
struct FuzzTerminal {
  let section: FuzzingSection
  let color: TerminalColor
  let showsEverything: Bool

  func printReport() {
    printTable()
    for failure in section.failures {
      Console.print(color.bad(FuzzingText.headline(failure)))
      for line in FuzzingText.details(failure) { Console.print("  " + line) }
      Console.print("")
    }
    for defect in section.defects { Console.print(color.bad("DEFECT") + " \(defect.printable)") }
    if showsEverything { printCoverage() }
    printVerdict()
  }

  private func printTable() {
    guard !section.tallies.isEmpty else { return }
    let several = section.engines.count > 1
    // Who has one operation of thirty is not told so in thirty lines.
    let tallies = section.tallies.filter { !$0.isUnsupported }
    let unsupported = section.tallies.filter(\.isUnsupported)
    let statuses = FuzzingSummary.statuses(section)
    // Once for each operation, whoever is asked.
    var drawn = Dictionary(section.operations.map { ($0.operation, FuzzingText.coverage($0)) }) { first, _ in first }
    let rows = tallies.map { tally in
      (several ? [tally.engine] : []) + [tally.operation] + statuses.map { tally[$0] == 0 ? "" : "\(tally[$0])" }
        + [
          "\(tally.elements)", NumberText.short(tally.worstRatio), drawn.removeValue(forKey: tally.operation) ?? "",
        ]
    }
    let headings =
      (several ? ["engine"] : []) + ["operation"] + statuses.map(\.rawValue) + ["elements", "error/bound", "drawn"]
    if !rows.isEmpty { Console.print(TextTable(headings, rows, words: several ? 2 : 1).text) }
    for engine in section.engines {
      let own = unsupported.filter { $0.engine == engine.name }.map(\.operation)
      if !own.isEmpty {
        Console.print("\(engine.name): every case is UNSUPPORTED of \(own.joined(separator: ", "))".printable)
      }
    }
    if !unsupported.isEmpty { Console.print("") }
  }

  private func printCoverage() {
    for operation in section.operations where !operation.neverDrawn.isEmpty {
      Console.print("\(operation.operation): never drawn: \(operation.neverDrawn.joined(separator: ", "))".printable)
    }
    for (operation, reason) in section.notDrawn.sorted(by: { $0.key < $1.key }) {
      Console.print("\(operation): nothing is drawn: \(reason)")
    }
  }

  private func printVerdict() {
    let missing = section.operations.reduce(0) { $0 + $1.neverDrawn.count }
    let pace = Double(section.resultCount) / max(section.seconds, 1e-3)
    Console.print(
      "\(section.caseCount) random problems, seed \(section.seed), \(section.resultCount) results in "
        + "\(NumberText.short(section.seconds)) s, \(NumberText.short(pace)) a second"
        + (missing > 0 ? "; \(missing) classes were never drawn (--verbose)" : ""))
    for line in FuzzingText.remarks(section) { Console.print(line) }
    let conclusion = section.conclusion
    Console.print(color.painted(conclusion.text, as: conclusion.outcome))
  }
}
