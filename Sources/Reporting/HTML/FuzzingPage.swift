import Results

/// Fuzzing's part of the page.
enum FuzzingPage {
  static func section(_ section: FuzzingSection) -> HTMLPage.Section {
    var budget = 300_000
    let cards = section.failures.prefix(60).map { card($0, &budget) }
    let left = section.failures.count - cards.count
    return HTMLPage.Section(
      anchor: "fuzzing", title: "Fuzzing",
      intro: ([
        "\(section.caseCount) random problems with seed \(section.seed), each held against the reference in float64, "
          + "forward and backward; what fails is shrunk."
      ] + FuzzingText.remarks(section).map { "\($0)." }).joined(separator: " ")
        + (left > 0 ? " \(left) more kinds of failures are in run.json." : ""),
      cards: cards, tables: [results(section), coverage(section)])
  }

  /// The smallest problem of each kind of failure.
  private static func card(_ failure: FuzzFailure, _ budget: inout Int) -> HTMLPage.Card {
    let tensor = failure.result.tensors.first { !$0.passes }
    let drawn = failure.trials > 0 ? ", shrunk in \(failure.trials) trials from \(failure.drawn)" : ", as it was drawn"
    var facts = [
      HTMLPage.Property(name: "Smallest problem", value: failure.problem.printable, style: "code"),
      .init(name: "Operands", value: failure.data.printable, style: "code"),
      .init(name: "Cases that fail so", value: "\(failure.count)"),
    ]
    if let common = failure.common { facts.append(.init(name: "In common", value: common.printable)) }
    if let cause = failure.result.cause { facts.append(.init(name: "What it looks like", value: cause.text)) }
    if let file = failure.file { facts.append(.init(name: "Golden file", value: file.printable, style: "code")) }
    return HTMLPage.Card(
      title: "\(failure.engine.printable) on \(failure.operation.printable) in \(failure.dtype): "
        + (failure.result.message.split(separator: "\n").first.map(String.init)?.printable
          ?? failure.result.status.rawValue),
      intro: "\(failure.problem)\(drawn).".printable, facts: facts + (tensor.map(FailureCards.facts) ?? []),
      figure: tensor.flatMap { FailureCards.figure($0, &budget) },
      command: failure.result.reproduce.isEmpty ? nil : failure.result.reproduce)
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
