import Foundation
import Reporting
import Results

/// A verification on stdout: a table by operation, the failures, the verdict.
struct VerifyTerminal {
  private static let shownGroups = 20

  let section: VerificationSection
  let color: TerminalColor
  let showsEverything: Bool
  /// Whether the output is the log of a GitHub workflow.
  var isWorkflow = ProcessInfo.processInfo.environment["GITHUB_ACTIONS"] == "true"

  func printReport() {
    printTable()
    printFileErrors()
    printFailures()
    if showsEverything {
      printUnsupported()
      printWidenings()
    }
    printCorpusProblems()
    printVerdict()
    if isWorkflow { for line in AnnotationText.lines(section) { Console.print(line) } }
  }

  private func printTable() {
    guard !section.results.isEmpty else { return }
    let several = section.engines.count > 1
    let summary = VerificationSummary(section)
    let headings = (several ? ["engine"] : []) + ["operation"] + summary.statuses.map(\.rawValue)
    let rows = summary.rows.map { row in
      (several ? [row.engine] : []) + [row.operation]
        + summary.statuses.map { row[$0] == 0 ? "" : "\(row[$0])" }
        + ["\(row.elements)", NumberText.short(row.worstRatio), NumberText.ulps(row.worstUlps)]
    }
    let table = TextTable(headings + ["elements", "error/bound", "ULPs"], rows, words: several ? 2 : 1)
    Console.print(table.text)
  }

  private func printFileErrors() {
    for file in section.files {
      for error in file.errors { Console.print("\(color.bad("BAD FILE")) \(error.printable)") }
      guard !file.errors.isEmpty else { continue }
      Console.print("  repeat: \(ShellCommand(["assay", "golden", "validate", file.path]))\n")
    }
  }

  /// Those of one kind together: the simplest in full, the others by their names where everything is asked for.
  private func printFailures() {
    let groups = FailureGroup.groups(of: section)
    let shown = showsEverything ? groups : Array(groups.prefix(Self.shownGroups))
    for group in shown {
      let first = group.representative
      Console.print(color.bad(FailureText.firstLine(group)))
      if group.results.count > 1 {
        if let cause = group.cause { Console.print("  \(cause.basis); \(group.extent.printable)") }
        Console.print("  the simplest: \(FailureText.headline(first))")
      }
      for line in FailureText.details(first, withCause: group.cause == nil) { Console.print("  " + line) }
      printOthers(group)
      Console.print("")
    }
    if shown.count < groups.count {
      Console.print("… and \(groups.count - shown.count) more kinds of failures (--verbose, or --out)\n")
    }
  }

  private func printOthers(_ group: FailureGroup) {
    guard !group.others.isEmpty else { return }
    guard showsEverything else {
      return Console.print("  and \(group.others.count) more likewise (--verbose for their names, or --out)")
    }
    for result in group.others { Console.print("  likewise \(FailureText.headline(result))") }
  }

  private func printUnsupported() {
    for result in section.results
    where result.status == .notRun || result.status == .unsupported && !section.strict {
      Console.print(
        "\(color.doubtful(result.status.rawValue)) \(result.name.printable) (\(result.engine), \(result.dtype)): "
          + result.message.printable)
    }
  }

  private func printWidenings() {
    for line in section.results.flatMap(WideningTable.lines) { Console.print("\(color.doubtful("WIDENED")) \(line)") }
  }

  private func printCorpusProblems() {
    for record in section.vacuity where record.isVacuous {
      Console.print(
        "\(color.bad("VACUOUS")) \(record.operation): no case that is judged would notice: "
          + record.unnoticed.joined(separator: ", "))
    }
    for stale in section.staleKnownFailures {
      Console.print("\(color.bad("KNOWN FAILURE")) \("\(stale.engine) \(stale.caseGlob): \(stale.problem)".printable)")
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
    if let leftOut = section.leftOutText { Console.print(leftOut.printable) }
    let conclusion = section.conclusion
    Console.print(color.painted(conclusion.text, as: conclusion.outcome))
  }
}
