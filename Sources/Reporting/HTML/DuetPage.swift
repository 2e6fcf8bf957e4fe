import Results

/// The gate's part of the page.
enum DuetPage {
  static func section(_ duet: DuetSection) -> HTMLPage.Section {
    let found = DuetTable(duet)
    let headings = found.headings
    let rows = zip(found.rows, duet.benchmarks + duet.againstItself).map { cells, found in
      let style = ["pass": "good", "improvement": "good", "regression": "bad"][found.verdict] ?? "doubtful"
      return HTMLPage.Row(
        cells: zip(headings, cells).map { heading, cell in
          HTMLPage.Cell(cell, ["benchmark": "code", "by": "", "verdict": style][heading] ?? "num")
        })
    }
    let table = HTMLPage.Table(
      title: "Benchmarks of the gate",
      caption:
        "p: one-sided sign test against the margin, adjusted for all benchmarks (Benjamini–Hochberg). Could see: the "
        + "smallest change that would have been found with probability \(BenchmarkText.percent(duet.policy.power)). By: "
        + "the clock whose word this is. Of CPU time, waiting for a core is no part."
        + (DuetTable.note(on: duet).map { " \($0)" } ?? ""),
      headings: headings, rows: rows)
    return HTMLPage.Section(
      anchor: "gate", title: "Regression gate",
      intro: "Base: \(duet.base). Head: \(duet.head). Both restarted for each block and timed in turns.",
      figures: [DotCharts.forest(duet)].compactMap { $0 }, tables: [table])
  }
}
