import Foundation
import Results

/// Rows of marks with intervals: peers side by side, and head against base.
enum DotCharts {
  /// Each engine's time on each layer, with its interval.
  static func peers(_ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, setting: String) -> HTMLPage.Figure?
  {
    guard section.engines.contains(where: { !$0.isBuiltIn }) else { return nil }
    let rows = workloads.filter { $0.bestBuiltIn != nil }
    // Times relative to the best built-in strategy, so that one scale serves every layer.
    var points: [(row: Int, engine: Int, ratio: Double, note: String)] = []
    var floors: [(row: Int, ratio: Double)] = []
    for (row, workload) in rows.enumerated() {
      guard let best = workload.bestBuiltIn.flatMap({ workload.contestant($0)?.time?.medianNanoseconds }) else {
        continue
      }
      if let limit = workload.limitNanoseconds { floors.append((row, limit / best)) }
      for (index, engine) in section.engines.enumerated() {
        guard let contestant = workload.contestant(engine.name), let time = contestant.time else { continue }
        if engine.isBuiltIn, engine.name != workload.bestBuiltIn { continue }
        points.append((row, index, time.medianNanoseconds / best, contestant.mark))
      }
    }
    guard points.contains(where: { !section.engines[$0.engine].isBuiltIn }) else { return nil }
    let labels = rows.map { BenchmarkText.shape($0.problem) }
    let left = 16 + 6.8 * Double(labels.map(\.count).max() ?? 0)
    let right = max(left + 480, 900 - 190)
    let bottom = 16 + 20 * Double(rows.count)
    let styles = EngineStyles(section.engines.map(\.name))
    let shownRatios = points.map(\.ratio) + floors.map(\.ratio) + [0.8, 1.25]
    guard let x = ChartScale(holding: shownRatios, to: (left, right), logarithmic: true) else { return nil }
    let shown = section.engines.enumerated().filter { index, _ in points.contains { $0.engine == index } }
    var canvas = SVGCanvas(width: right + 190, height: max(bottom + 48, 24 + 19 * Double(shown.count + 1)))
    for tick in x.ticks {
      canvas.line(x(tick), 10, x(tick), bottom, class: "grid")
      canvas.text(x(tick), bottom + 16, x.label(tick) + "×", anchor: .middle, class: "tick")
    }
    canvas.line(x(1), 10, x(1), bottom, class: "zero")
    canvas.text(
      (left + right) / 2, bottom + 36, "time by that of the best built-in strategy, logarithmic", anchor: .middle,
      class: "name")
    for (row, label) in labels.enumerated() {
      canvas.text(left - 8, 28 + 20 * Double(row), label, anchor: .end, class: "mono")
    }
    for floor in floors {
      let (place, middle) = (x(floor.ratio), 24 + 20 * Double(floor.row))
      canvas.line(place, middle - 7, place, middle + 7, class: "limit", title: "limit of \(rows[floor.row].problem)")
    }
    // Marks that would cover each other in a row stand a little above and below its middle.
    var placed: [Int: [Double]] = [:]
    for point in points {
      let engine = section.engines[point.engine]
      let near = placed[point.row, default: []].count { abs($0 - x(point.ratio)) < 8 }
      placed[point.row, default: []].append(x(point.ratio))
      let shift = [0.0, -4, 4, -7, 7][min(near, 4)]
      canvas.mark(
        x(point.ratio), 24 + 20 * Double(point.row) + shift, style: styles[engine.name],
        title: "\(engine.name) on \(rows[point.row].problem): \(BenchmarkText.ratio(point.ratio))×", note: point.note)
    }
    canvas.legend(right + 30, 24, shown.map { ($1.name, styles[$1.name], false) })
    if !floors.isEmpty { canvas.limitLegend(right + 30, 24 + 19 * Double(shown.count)) }
    return HTMLPage.Figure(
      title: "Peers side by side: \(setting)",
      caption:
        "Right of the line: slower than the best built-in strategy on that layer, whose own mark stands on the line and "
        + "names it. The same layout and precision on both sides, all in the same interleaved blocks. A bar is the least time of "
        + "any algorithm that Assay knows, by the measured ceilings. A question mark: the time is claimed by the engine alone.",
      svg: canvas.svg(label: "Peers side by side, \(setting)"))
  }

  /// The gate's changes with their intervals.
  static func forest(_ section: DuetSection) -> HTMLPage.Figure? {
    let rows = section.benchmarks + section.againstItself
    let limits = rows.flatMap { [$0.change, $0.changeLower ?? $0.change, $0.changeUpper ?? $0.change] }.map { 100 * $0 }
    let margin = 100 * section.policy.margin
    let labels =
      section.benchmarks.map { BenchmarkText.shape($0.name) }
      + section.againstItself.map { DuetTable.againstItself(BenchmarkText.shape($0.name)) }
    // A name stands over its line, so that the line has the width.
    let (left, right, row) = (16.0, 720.0, 42.0)
    guard let x = ChartScale(holding: limits + [-margin * 1.6, margin * 1.6], to: (left, right), logarithmic: false)
    else {
      return nil
    }
    let bottom = 10 + row * Double(rows.count)
    var canvas = SVGCanvas(width: right + 180, height: bottom + 48)
    canvas.rectangle(x(-margin), 8, x(margin) - x(-margin), bottom - 8, class: "marginband")
    for tick in x.ticks {
      canvas.line(x(tick), 8, x(tick), bottom, class: "grid")
      canvas.text(x(tick), bottom + 16, x.label(tick), anchor: .middle, class: "tick")
    }
    canvas.line(x(0), 8, x(0), bottom, class: "zero")
    canvas.text(
      (left + right) / 2, bottom + 36, "change of head against base, % (right is slower)", anchor: .middle,
      class: "name")
    for (index, found) in rows.enumerated() {
      let y = 38 + row * Double(index)
      let style = SeriesStyle(index: found.verdict == "regression" ? 1 : found.verdict == "improvement" ? 2 : 0)
      canvas.text(left, y - 14, labels[index], class: "mono")
      if let low = found.changeLower, let high = found.changeUpper {
        canvas.line(x(100 * low), y, x(100 * high), y, class: "range", stroke: style.color)
      }
      canvas.mark(x(100 * found.change), y, style: style, title: "\(found.name): \(BenchmarkText.change(found.change))")
      canvas.text(right + 12, y + 4, "\(BenchmarkText.change(found.change)) \(found.verdict)", class: "small")
    }
    return HTMLPage.Figure(
      title: "Head against base",
      caption: "Median of the blocks' differences with its exact order-statistic interval; the band is the margin of "
        + "\(BenchmarkText.change(section.policy.margin)) that is not worth an alarm.",
      svg: canvas.svg(label: "Change of head against base for each benchmark"))
  }
}
