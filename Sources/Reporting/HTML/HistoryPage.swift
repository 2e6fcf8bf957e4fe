import Results

/// `history.html`: what moved over the runs of a folder, and a chart for each benchmark, folded away until somebody looks.
enum HistoryPage {
  /// A chart under a line that opens it.
  private struct Fold {
    var title: String
    var remark: String
    var svg: String
    var isOpen: Bool
  }

  private struct Machine {
    var title: String
    var folds: [Fold]
  }

  private struct RunRow {
    var anchor: String
    var name: String
    var page: String?
    var started: String
    var commit: String
  }

  private struct List {
    var title: String
    var lines: [HTMLPage.Fact]
  }

  private struct Page {
    var style: String
    var subtitle: String
    var summary: String
    var verdict: String
    var tables: [HTMLPage.Table]
    var lists: [List]
    var machines: [Machine]
    var runs: [RunRow]
  }

  /// Charts that are open at once: those of the largest confirmed changes.
  private static let openCharts = 6
  /// Of sentences that lists show.
  private static let longestList = 200

  static func text(_ history: HistorySection, _ origin: Provenance) throws -> String {
    try HTMLTemplate.library().render(page(history, origin), withTemplate: "history") ?? ""
  }

  /// The history's part of a run's report: what moved, without the charts.
  static func section(_ history: HistorySection) -> HTMLPage.Section {
    HTMLPage.Section(
      anchor: "history", title: "History",
      intro: "\(summary(history)) The charts are in history.html beside this page.",
      tables: table(history).map { [$0] } ?? [])
  }

  static func summary(_ history: HistorySection) -> String {
    let changes = history.moved.map(\.change)
    let sure = changes.count(where: \.isConfirmed)
    let runs = history.runs?.count ?? Set(history.series.flatMap(\.points).map(\.run)).count
    return "\(runs) runs of \(history.directory), \(history.series.count) series: \(sure) confirmed changes, "
      + "\(changes.count - sure) weak ones."
  }

  private static func page(_ history: HistorySection, _ origin: Provenance) -> Page {
    let runs = (history.runs ?? []).enumerated().map { index, run in
      RunRow(
        anchor: "run-\(index + 1)", name: run.name.printable, page: run.page, started: run.started.printable,
        commit: String((run.commit ?? "").prefix(12)).printable)
    }
    let hasChanged = history.series.contains { !$0.changePoints.isEmpty }
    return Page(
      style: HTMLStyle.text + HistoryTemplate.style, subtitle: origin.commandLine.printable,
      summary: summary(history).printable, verdict: hasChanged ? "doubtful" : "good",
      tables: table(history).map { [$0] } ?? [],
      lists: [
        list("No longer timed, or without a finite time", history.vanished ?? []),
        list("Not told", history.unknown ?? []), list("Skipped", history.skipped),
      ].compactMap { $0 }, machines: machines(history, runs), runs: runs)
  }

  private static func list(_ title: String, _ lines: [String]) -> List? {
    guard !lines.isEmpty else { return nil }
    let more = lines.count - longestList
    return List(
      title: title,
      lines: lines.prefix(longestList).map { HTMLPage.Fact(text: $0.printable) }
        + (more > 0 ? [HTMLPage.Fact(text: "and \(more) more, which run.json has")] : []))
  }

  private static func table(_ history: HistorySection) -> HTMLPage.Table? {
    let rows = history.moved.map { series, change in
      let point = series.points[change.position]
      let style = !change.isConfirmed ? "doubtful" : change.ratio > 1 ? "bad" : "good"
      return HTMLPage.Row(cells: [
        .init(series.benchmark, "code"), .init(series.engine), .figure(BenchmarkText.change(change.ratio - 1)),
        .figure(BenchmarkText.milliseconds(change.before)), .figure(BenchmarkText.milliseconds(change.after)),
        .init(change.isConfirmed ? (change.ratio > 1 ? "slower" : "faster") : "weak", style),
        .figure(NumberText.short(change.pValue)), .init(String(point.started.prefix(10)), "line"), .init(point.run),
        .init(change.differences.isEmpty ? "nothing that was recorded" : change.differences.joined(separator: "; ")),
      ])
    }
    guard !rows.isEmpty else { return nil }
    return HTMLPage.Table(
      title: "Changes",
      caption:
        "Largest first. A change is a place where the level of a series is another, found in windows of runs and held "
        + "against the runs on both sides (rank-sum test). Confirmed: certain at a false discovery rate of 5 % over all "
        + "series. Weak: not yet; later runs confirm or dissolve it. The last column has what else was another from the "
        + "run before it on.",
      headings: ["benchmark", "engine", "change", "before, ms", "after, ms", "", "p", "from", "run", "what differs"],
      rows: rows)
  }

  private static func machines(_ history: HistorySection, _ runs: [RunRow]) -> [Machine] {
    let anchors = Dictionary(
      zip((history.runs ?? []).map(\.name), runs.map(\.anchor)), uniquingKeysWith: { first, _ in first })
    let order = (history.runs ?? []).map(\.name)
    let largest = Set(
      history.moved.filter(\.change.isConfirmed).prefix(openCharts).map { "\($0.series.key)\n\($0.series.benchmark)" })
    // An engine looks the same in every chart of the page.
    let styles = EngineStyles(history.series.map(\.engine))
    return groups(history.series, by: \.key).map { key, all in
      let names = Set(all.flatMap(\.points).map(\.run))
      // In runs of earlier versions there is no list of them.
      let known = order.filter(names.contains)
      let longest = all.max { $0.points.count < $1.points.count }
      let own = known.count == names.count ? known : longest?.points.map(\.run) ?? []
      let folds = groups(all, by: \.benchmark).compactMap { name, group -> Fold? in
        guard let svg = HistoryChart.svg(group, runs: own, anchors: anchors, styles: styles) else { return nil }
        let changes = group.flatMap { $0.changes ?? [] }
        let remark = changes.isEmpty ? "" : changes.map { BenchmarkText.change($0.ratio - 1) }.joined(separator: ", ")
        return Fold(title: name.printable, remark: remark, svg: svg, isOpen: largest.contains("\(key)\n\(name)"))
      }
      return Machine(title: key.printable, folds: folds)
    }
  }

  /// In the order in which they are met.
  private static func groups(
    _ series: [HistorySection.Series], by name: (HistorySection.Series) -> String
  ) -> [(name: String, series: [HistorySection.Series])] {
    let groups = Dictionary(grouping: series, by: name)
    var met: Set<String> = []
    return series.map(name).filter { met.insert($0).inserted }.map { ($0, groups[$0] ?? []) }
  }
}
