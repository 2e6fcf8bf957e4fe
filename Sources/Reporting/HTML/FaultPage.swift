import Results

/// What verification or the audit found of each contestant that has no time because of it, where the heat map's marks lead to.
enum FaultPage {
  private typealias Fault = (workload: BenchmarkWorkload, contestant: BenchmarkContestant)

  private static let most = 24

  static func section(_ section: BenchmarkSection, _ provenance: Provenance) -> HTMLPage.Section? {
    struct Key: Hashable {
      var engine: String
      var status: String
      var pattern: String
    }
    var (order, groups): ([Key], [Key: [Fault]]) = ([], [:])
    for workload in section.workloads {
      for contestant in workload.contestants where contestant.status.isFault {
        let key = Key(
          engine: contestant.engine, status: contestant.status.rawValue, pattern: FailureGroup.pattern(of: contestant))
        if groups[key] == nil { order.append(key) }
        groups[key, default: []].append((workload, contestant))
      }
    }
    guard !order.isEmpty else { return nil }
    var budget = 300_000
    let cards = order.prefix(most).map { key in
      card(groups[key] ?? [], key.pattern, section, provenance, &budget)
    }
    let rest = order.dropFirst(most).flatMap { groups[$0] ?? [] }
    return HTMLPage.Section(
      anchor: "faults", title: "Wrong, failed or caught, so without a time",
      intro:
        "What verification found before anything was timed, or the audit while it was. Each command shows it again.",
      cards: cards, folds: rest.isEmpty ? [] : [fold(rest[...], "\(rest.count) more", section, provenance)])
  }

  /// One contestant on the smallest workload that shows it, and the others folded.
  private static func card(
    _ faults: [Fault], _ pattern: String, _ section: BenchmarkSection, _ provenance: Provenance, _ budget: inout Int
  ) -> HTMLPage.Card {
    let sorted = faults.sorted { ($0.workload.flops, $0.workload.name) < ($1.workload.flops, $1.workload.name) }
    guard let (workload, contestant) = sorted.first else { return HTMLPage.Card(title: pattern, intro: "", facts: []) }
    let tensor = contestant.failing?.first
    let isPlain = tensor != nil && contestant.audit?.violations.isEmpty != false
    let lines = FailureText.details(contestant).joined(separator: "\n")
    let others = sorted.dropFirst()
    return HTMLPage.Card(
      title:
        "\(contestant.engine) is \(contestant.status.rawValue) on \(faults.count) workload\(faults.count == 1 ? "" : "s"): "
        .printable + pattern,
      intro: (others.isEmpty ? "" : "The smallest of them: ") + workload.name.printable,
      cardAnchor: BenchmarkText.anchor(workload, contestant.engine),
      facts: (isPlain ? [] : [.init(name: "What was found", value: lines, style: "code lines")])
        + (tensor.map(FailureCards.facts) ?? []),
      figure: tensor.flatMap { FailureCards.figure($0, &budget) },
      command: "\(BenchmarkReproduction.command(contestant, on: workload, of: section, provenance))",
      fold: others.isEmpty ? nil : fold(others, "\(others.count) more that are so likewise", section, provenance))
  }

  private static func fold(
    _ faults: ArraySlice<Fault>, _ title: String, _ section: BenchmarkSection, _ provenance: Provenance
  ) -> HTMLPage.Fold {
    let rows = faults.map { workload, contestant in
      let command = BenchmarkReproduction.command(contestant, on: workload, of: section, provenance)
      return HTMLPage.Row(
        cells: [
          .init(workload.name, "code"), .init(contestant.engine, "line"), .init(contestant.status.rawValue, "bad"),
          .init(FailureText.details(contestant).joined(separator: "\n"), "code lines"), .init("\(command)", "code"),
        ], rowAnchor: BenchmarkText.anchor(workload, contestant.engine))
    }
    return HTMLPage.Fold(
      title: title,
      tables: [
        .init(title: "", caption: "", headings: ["workload", "engine", "", "what was found", "command"], rows: rows)
      ])
  }
}
