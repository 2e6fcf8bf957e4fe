import Results

extension DuetBenchmark {
  /// What could have been seen, as every report words it; nothing of the base against itself, which has too few blocks.
  var couldSee: String {
    smallestDetectableChange.isFinite ? BenchmarkText.change(smallestDetectableChange) : "none"
  }

  /// The clock whose word the record is.
  var decidingClock: String { clock == "cpu" ? "CPU time" : "wall clock" }
}

/// The gate's part of the page.
enum DuetPage {
  static func section(_ duet: DuetSection) -> HTMLPage.Section {
    let rows = (duet.benchmarks + duet.againstItself).enumerated().map { index, found in
      let interval = found.changeLower.flatMap { low in
        found.changeUpper.map { "\(BenchmarkText.change(low)) to \(BenchmarkText.change($0))" }
      }
      let style = ["pass": "good", "improvement": "good", "regression": "bad"][found.verdict] ?? "doubtful"
      return HTMLPage.Row(cells: [
        .init((index >= duet.benchmarks.count ? "base against itself: " : "") + found.name, "code"),
        .figure(BenchmarkText.change(found.change)), .figure(interval ?? "too few blocks"),
        .figure(found.pValue < 1 ? NumberText.short(found.adjustedPValue) : "not tested"),
        .figure(found.couldSee), .init(found.decidingClock),
        .figure("\(found.screen.count) + \(found.decision.count)"), .init(found.verdict, style),
      ])
    }
    let table = HTMLPage.Table(
      title: "Benchmarks of the gate",
      caption:
        "p: one-sided sign test against the margin, adjusted for all benchmarks (Benjamini–Hochberg). Could see: the "
        + "smallest change that would have been found with probability \(BenchmarkText.percent(duet.policy.power)). By: "
        + "the clock whose word this is. Of CPU time, waiting for a core is no part.",
      headings: ["benchmark", "change", "interval", "p", "could see", "by", "blocks", "verdict"], rows: rows)
    return HTMLPage.Section(
      anchor: "gate", title: "Regression gate",
      intro: "Base: \(duet.base). Head: \(duet.head). Both restarted for each block and timed in turns.",
      figures: [DotCharts.forest(duet)].compactMap { $0 }, tables: [table])
  }
}
