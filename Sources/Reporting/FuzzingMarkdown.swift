import Results

/// The fuzzing section of `report.md`.
struct FuzzingMarkdown {
  private let section: FuzzingSection

  init(_ section: FuzzingSection) { self.section = section }

  var lines: [String] { [verdict, results, failures, coverage].flatMap { $0 } }

  private var verdict: [String] {
    let remarks = FuzzingText.remarks(section).map { "- \(MarkdownText.inline($0))" }
    return [
      "## Fuzzing", "",
      "\(MarkdownReport.verdict(section.conclusion)). \(section.caseCount) random problems with seed \(section.seed), "
        + "\(MarkdownText.inline(section.engines.map(\.name).joined(separator: ", "))), "
        + "\(section.dtypes.joined(separator: " and ")); \(NumberText.short(section.seconds)) s.", "",
    ] + (remarks.isEmpty ? [] : remarks + [""])
  }

  private var results: [String] {
    let statuses = FuzzingSummary.statuses(section)
    let rows = section.tallies.map { tally in
      [MarkdownText.inline(tally.operation), MarkdownText.inline(tally.engine)] + statuses.map { "\(tally[$0])" }
        + ["\(tally.elements)", NumberText.short(tally.worstRatio)]
    }
    return ["### Random problems", ""]
      + TextTable(
        ["operation", "engine"] + statuses.map(\.rawValue) + ["elements", "worst error/bound"], rows, words: 2
      ).markdown
  }

  private var failures: [String] {
    guard !section.failures.isEmpty else { return [] }
    var lines = ["### What fails", ""]
    for failure in section.failures {
      lines.append("- \(MarkdownText.inline(FuzzingText.headline(failure)))")
      lines += MarkdownText.block(FuzzingText.details(failure))
    }
    return lines + [""]
  }

  private var coverage: [String] {
    let rows = section.operations.map { operation in
      [
        operation.operation, "\(operation.cases)", "\(operation.invalid)", FuzzingText.coverage(operation),
        operation.neverDrawn.isEmpty ? "–" : MarkdownText.inline(operation.neverDrawn.joined(separator: ", ")),
      ]
    }
    guard !rows.isEmpty else { return [] }
    var table = TextTable(["operation", "problems", "to be refused", "drawn", "never drawn"], figures: [1, 2])
    for row in rows { table.add(row) }
    return ["### What was drawn", ""] + table.markdown
      + section.notDrawn.sorted { $0.key < $1.key }.map { "- Nothing of \($0.key): \(MarkdownText.inline($0.value))" }
      + (section.notDrawn.isEmpty ? [] : [""])
  }
}

/// What the tables of fuzzing show.
public enum FuzzingSummary {
  /// Those that get a column.
  public static func statuses(_ section: FuzzingSection) -> [VerificationStatus] {
    VerificationStatus.allCases.filter { $0 != .notRun || section.count($0) > 0 }
  }
}
