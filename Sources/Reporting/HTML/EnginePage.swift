import Results

/// Each engine's own view of a benchmark: how far it is from the best and from the least that is possible, and where.
enum EnginePage {
  /// Rows of an engine that nobody asked for in particular.
  private static let few = 12

  /// - Parameter engine: whose view is wanted: it is open, and has every layer.
  static func section(_ section: BenchmarkSection, _ provenance: Provenance, engine: String?) -> HTMLPage.Section? {
    let wanted = section.engines.filter { $0.name == engine } + section.engines.filter { $0.name != engine }
    let folds = wanted.compactMap { found in
      EngineView(found, section, provenance).map { fold($0, isWanted: found.name == engine) }
    }
    guard !folds.isEmpty else { return nil }
    return HTMLPage.Section(
      anchor: "engines", title: "How far is an engine from the best",
      intro:
        "Each engine against the fastest on every layer, and against the least time that the machine allows to any algorithm "
        + "that Assay knows. The command assay report RUN --engine NAME opens one engine's view with all its layers.",
      folds: folds)
  }

  private static func fold(_ view: EngineView, isWanted: Bool) -> HTMLPage.Fold {
    let shown = isWanted ? view.rows : Array(view.rows.filter { $0.lostInAll > 0 }.prefix(few))
    let left = view.rows.count - shown.count
    var tables: [HTMLPage.Table] = []
    let networkRows = view.networkRows
    if !networkRows.isEmpty {
      tables.append(
        HTMLPage.Table(
          title: "By network", caption: "Over the layers that it did, each as often as it occurs.",
          headings: EngineView.networkHeadings,
          rows: networkRows.map { row in
            HTMLPage.Row(cells: row.enumerated().map { .init($1, $0 < 2 ? "line" : "num") })
          }))
    }
    if !shown.isEmpty {
      tables.append(
        HTMLPage.Table(
          title: "By layer", caption: EngineView.caption + (left > 0 ? " \(left) more layers are not shown." : ""),
          headings: EngineView.headings,
          rows: shown.map { row in
            HTMLPage.Row(cells: view.cells(row).enumerated().map { cell($1, $0, row) })
          }))
    }
    let idle = view.idle.prefix(6).map { "\($0.count) layer\($0.count == 1 ? "" : "s"): \($0.reason)" }
    let intro = [view.places, idle.isEmpty ? nil : "Without a time: \(idle.joined(separator: "; "))."].compactMap { $0 }
    return HTMLPage.Fold(
      title: "\(view.engine.name): \(view.summary)".printable, isOpen: isWanted,
      foldIntro: intro.isEmpty ? nil : intro.joined(separator: " ").printable, tables: tables)
  }

  private static func cell(_ text: String, _ column: Int, _ row: EngineView.Row) -> HTMLPage.Cell {
    let isCode = column == 0 || column == EngineView.headings.count - 1
    if column == 4 { return .init(text, row.isFirst ? "num good" : "num") }
    return .init(text, EngineView.figures.contains(column) ? "num" : isCode ? "code" : "line")
  }
}
