import Results

/// The part of the page that whole networks have.
enum WholeNetworkPage {
  /// Without content where the run has none.
  static func section(_ section: BenchmarkSection) -> HTMLPage.Section {
    let settings = BenchmarkSetting.settings(of: section).compactMap { setting, workloads in
      let networks = workloads.filter(\.isWholeNetwork)
      return networks.isEmpty ? nil : (setting.name, networks)
    }
    let layers = settings.flatMap(\.1).flatMap { workload in
      workload.contestants.compactMap { LayerTimes(workload, $0) }
    }
    let figures =
      settings.compactMap { NetworkCharts.times($1, section, setting: $0) }
      + settings.compactMap { NetworkCharts.memory($1, section, setting: $0) } + layers.map(\.figure)
    return HTMLPage.Section(
      anchor: "whole-networks", title: "Whole networks",
      intro: "From images to logits, every contestant verified first, all of them in interleaved blocks.",
      figures: figures,
      tables: WholeNetworkTable.tables(section).map(table) + (layers.isEmpty ? [] : [stages(layers)]))
  }

  private static func table(_ table: WholeNetworkTable) -> HTMLPage.Table {
    HTMLPage.Table(
      title: table.title, caption: table.caption, headings: table.headings,
      rows: table.rows.map { row(WholeNetworkTable.words, $0) })
  }

  private static func stages(_ layers: [LayerTimes]) -> HTMLPage.Table {
    HTMLPage.Table(
      title: "Where the time goes, by stage",
      caption: "Steps of a run, added up. The limit is the sum of those of the stage's layers.",
      headings: LayerTimes.headings, rows: layers.flatMap(\.rows).map { row(1, $0) })
  }

  /// - Parameter words: so many columns hold words, besides those that hold no digits.
  private static func row(_ words: Int, _ cells: [String]) -> HTMLPage.Row {
    HTMLPage.Row(
      cells: cells.enumerated().map { column, text in
        .init(text, column < words || text.first?.isLetter == true ? "line" : "num")
      })
  }
}
