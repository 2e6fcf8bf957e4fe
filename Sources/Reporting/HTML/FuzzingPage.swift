import Results

/// Fuzzing's part of the page.
enum FuzzingPage {
  static func section(_ section: FuzzingSection) -> HTMLPage.Section {
    var tables = [results(section)]
    if !section.failures.isEmpty { tables.insert(failures(section), at: 0) }
    tables.append(coverage(section))
    return HTMLPage.Section(
      anchor: "fuzzing", title: "Fuzzing",
      intro: ([
        "\(section.caseCount) random problems with seed \(section.seed), each held against the reference in float64, "
          + "forward and backward; what fails is shrunk."
      ] + FuzzingText.remarks(section).map { "\($0)." }).joined(separator: " "), tables: tables)
  }

  private static func failures(_ section: FuzzingSection) -> HTMLPage.Table {
    HTMLPage.Table(
      title: "What fails", caption: "The smallest problem of each kind of failure.",
      headings: ["problem", "engine", "cases", "in common", "what is wrong", "command"],
      rows: section.failures.map { failure in
        HTMLPage.Row(cells: [
          .init(failure.problem, "code"), .init("\(failure.engine), \(failure.dtype)"), .figure("\(failure.count)"),
          .init(failure.common ?? "–"), .init(failure.result.message, "bad"),
          .init(failure.result.reproduce, "code"),
        ])
      })
  }

  private static func results(_ section: FuzzingSection) -> HTMLPage.Table {
    let statuses = FuzzingSummary.statuses(section)
    return HTMLPage.Table(
      title: "Random problems", caption: "error/bound: 1 is the limit; the worst of all that pass.",
      headings: ["operation", "engine"] + statuses.map(\.rawValue) + ["elements", "error/bound"],
      rows: section.tallies.map { tally in
        let isSound = tally[.fail] + tally[.error] == 0
        return HTMLPage.Row(
          cells: [.init(tally.operation, isSound ? "good" : "bad"), .init(tally.engine)]
            + statuses.map { .figure("\(tally[$0])") }
            + [.figure("\(tally.elements)"), .figure(NumberText.short(tally.worstRatio))])
      })
  }

  private static func coverage(_ section: FuzzingSection) -> HTMLPage.Table {
    HTMLPage.Table(
      title: "What was drawn", caption: "Classes of extents, values of attributes, and pairs of these values.",
      headings: ["operation", "problems", "to be refused", "drawn", "never drawn"],
      rows: section.operations.map { operation in
        HTMLPage.Row(cells: [
          .init(operation.operation), .figure("\(operation.cases)"), .figure("\(operation.invalid)"),
          .init(FuzzingText.coverage(operation)), .init(operation.neverDrawn.joined(separator: ", ")),
        ])
      })
  }
}
