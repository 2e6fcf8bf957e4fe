import Results

/// What verification or the audit found of each contestant that has no time because of it, where the heat map's marks lead to.
enum FaultPage {
  private static let most = 24

  static func section(_ section: BenchmarkSection, _ provenance: Provenance) -> HTMLPage.Section? {
    let faults = section.workloads.flatMap { workload in
      workload.contestants.filter { $0.status.isFault }.map { (workload, $0) }
    }
    guard !faults.isEmpty else { return nil }
    var budget = 300_000
    let cards = faults.prefix(most).map { workload, contestant in
      let tensor = contestant.failing?.first
      let lines = FailureText.details(contestant)
      return HTMLPage.Card(
        title: "\(contestant.engine) is \(contestant.status.rawValue) on \(workload.name)".printable, intro: "",
        anchor: BenchmarkText.anchor(workload, contestant.engine),
        facts: [.init(name: "What was found", value: lines.joined(separator: "\n"), style: "code lines")]
          + (tensor.map(FailureCards.facts) ?? []),
        figure: tensor.flatMap { FailureCards.figure($0, &budget) },
        command: "\(BenchmarkReproduction.command(contestant, on: workload, of: section, provenance))")
    }
    let rows = faults.dropFirst(most).map { workload, contestant in
      let command = BenchmarkReproduction.command(contestant, on: workload, of: section, provenance)
      return HTMLPage.Row(
        cells: [
          .init(workload.name, "code"), .init(contestant.engine, "line"), .init(contestant.status.rawValue, "bad"),
          .init(FailureText.details(contestant).joined(separator: "\n"), "code lines"), .init("\(command)", "code"),
        ], anchor: BenchmarkText.anchor(workload, contestant.engine))
    }
    return HTMLPage.Section(
      anchor: "faults", title: "Wrong, failed or caught, so without a time",
      intro: "What verification found before anything was timed, or the audit while it was. Each command shows it again.",
      cards: cards,
      folds: rows.isEmpty
        ? []
        : [
          HTMLPage.Fold(
            title: "\(rows.count) more",
            tables: [
              .init(
                title: "", caption: "", headings: ["workload", "engine", "", "what was found", "command"], rows: rows)
            ])
        ])
  }
}
