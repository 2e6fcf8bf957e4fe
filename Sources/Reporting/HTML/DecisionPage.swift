import Results

/// Which strategy to take for a layer, and why: by class, and below it for each layer.
enum DecisionPage {
  static func section(
    _ section: BenchmarkSection, _ provenance: Provenance, _ settings: [(BenchmarkSetting, [BenchmarkWorkload])]
  ) -> HTMLPage.Section? {
    guard let table = DecisionTable(section, provenance) else { return nil }
    var found = HTMLPage.Section(
      anchor: "decide", title: "Which strategy for which layer",
      intro: "What to take, why, what it costs in error and memory, and the command that shows it again.",
      tables: [
        HTMLPage.Table(
          title: "By class of layers", caption: "\(DecisionTable.classCaption) \(DecisionTable.commandCaption)",
          headings: DecisionTable.classHeadings,
          rows: zip(table.classes, table.classRows).map { found, row in
            HTMLPage.Row(cells: row.enumerated().map { cell($1, $0, found) })
          })
      ])
    found.folds = settings.enumerated().map { index, entry in
      let (setting, workloads) = entry
      let networks = section.networks.filter { network in
        network.batch == setting.batch
          && network.layers.contains { layer in workloads.contains { $0.problem == layer.problem } }
      }
      let rows = workloads.compactMap { Decision($0, section) }.map { table.layerRow($0, networks) }
      return HTMLPage.Fold(
        title: "Layer by layer: \(setting.name)", isOpen: index == 0,
        tables: [
          HTMLPage.Table(
            title: "Best strategy for each shape: \(setting.name)",
            caption: DecisionTable.layerCaption
              + (networks.isEmpty ? "" : " Before the command: how often each network has the shape."),
            headings: table.layerHeadings(networks), rows: rows.map { HTMLPage.Row(cells: $0) })
        ])
    }
    return found
  }

  private static func cell(_ text: String, _ column: Int, _ found: DecisionClass) -> HTMLPage.Cell {
    switch column {
    case 2:
      .init(
        text,
        found.choice.isEmpty ? "doubtful" : found.choice.count > 1 || found.holders.isEmpty ? "words" : "words good")
    case 3: .init(text, "words wide")
    case DecisionTable.classHeadings.count - 1: .init(text, "code")
    default: .init(text, DecisionTable.classFigures.contains(column) ? "num" : "line")
    }
  }
}
