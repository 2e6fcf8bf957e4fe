import Reporting
import Results

/// A verification on stdout: a table by operation, the failures, the verdict.
struct VerifyTerminal {
  private static let shownFailures = 20

  let section: VerificationSection
  let color: TerminalColor
  let showsEverything: Bool

  func printReport() {
    printTable()
    printFileErrors()
    printFailures()
    if showsEverything { printUnsupported() }
    printCorpusProblems()
    printVerdict()
  }

  private func printTable() {
    guard !section.results.isEmpty else { return }
    let several = section.engines.count > 1
    var table = TextTable(
      (several ? ["engine"] : []) + ["operation"] + VerificationStatus.allCases.map(\.rawValue)
        + ["elements", "error/bound", "ULPs"],
      rightAligned: Set((several ? 2 : 1)..<12))
    for row in VerificationSummary(section).rows {
      table.add(
        (several ? [row.engine] : []) + [row.operation]
          + VerificationStatus.allCases.map { row[$0] == 0 ? "" : "\(row[$0])" }
          + ["\(row.elements)", NumberText.short(row.worstRatio), NumberText.short(row.worstUlps)])
    }
    Console.print(table.text)
  }

  private func printFileErrors() {
    for file in section.files {
      for error in file.errors { Console.print("\(color.bad("BAD FILE")) \(error)") }
      if !file.errors.isEmpty { Console.print("  repeat: assay golden validate \(file.path)\n") }
    }
  }

  private func printFailures() {
    let failing = section.results.filter { $0.counts(strict: section.strict) }
    let shown = showsEverything ? failing : Array(failing.prefix(Self.shownFailures))
    for result in shown {
      Console.print(color.bad(FailureText.headline(result)))
      for line in FailureText.details(result) { Console.print("  " + line) }
      Console.print("")
    }
    if shown.count < failing.count {
      Console.print("… and \(failing.count - shown.count) more (--verbose, or --out)\n")
    }
  }

  private func printUnsupported() {
    for result in section.results where result.status == .unsupported && !section.strict {
      Console.print(
        "\(color.doubtful("UNSUPPORTED")) \(result.name) (\(result.engine), \(result.dtype)): \(result.message)")
    }
  }

  private func printCorpusProblems() {
    for record in section.vacuity where record.isVacuous {
      Console.print(
        "\(color.bad("VACUOUS")) \(record.operation): no case that is judged would notice: "
          + record.unnoticed.joined(separator: ", "))
    }
    for stale in section.staleKnownFailures {
      Console.print("\(color.bad("KNOWN FAILURE")) \(stale.engine) \(stale.caseGlob): \(stale.problem)")
    }
    let excused = section.results.count { $0.knownFailure != nil }
    if excused > 0 { Console.print("\(excused) known failures are excused") }
  }

  private func printVerdict() {
    let counts = VerificationStatus.allCases.compactMap { status in
      let count = section.results.count { $0.status == status }
      return count == 0 ? nil : "\(count) \(status.rawValue)"
    }
    let omitted = section.results.reduce(0) { $0 + $1.omitted.count }
    let cases = Set(section.results.map { $0.file + ":" + $0.name }).count
    let line =
      "\(cases) cases, \(section.results.count) results\(counts.isEmpty ? "" : ": ")\(counts.joined(separator: ", "))"
      + (omitted > 0 ? ", \(omitted) tensors omitted" : "") + " in \(NumberText.short(section.seconds)) s"
    Console.print(line)
    let reasons = section.reasons.joined(separator: "; ")
    switch section.exitCode {
    case 0: Console.print(color.good("all hold"))
    case 2: Console.print(color.doubtful("inconclusive: \(reasons)"))
    default: Console.print(color.bad("fails: \(reasons)"))
    }
  }
}
