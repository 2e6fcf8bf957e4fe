import Foundation
import Results

/// Whole networks: a group of lines for each network, in it a line for each engine.
enum NetworkCharts {
  private static let rowHeight = 17.0
  /// From one group's last line to the next one's first: the network's name, and room above it.
  private static let headingHeight = 32.0
  private static let top = 14.0

  /// Each engine's time with its interval, and the limit across the group.
  static func times(_ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, setting: String)
    -> HTMLPage.Figure?
  {
    let styles = EngineStyles(section.engines.map(\.name))
    let groups = groups(workloads, section) { $0.time.map { $0.medianNanoseconds * 1e-6 } }
    let limits = groups.compactMap(\.workload.limitNanoseconds)
    let ends = groups.flatMap(\.rows).compactMap(\.contestant.time).flatMap { time in
      [time.lowerNanoseconds, time.medianNanoseconds, time.upperNanoseconds].compactMap { $0 }
    }
    let shown = (limits + ends).map { $0 * 1e-6 }
    let (left, right) = (left(of: groups), left(of: groups) + 560)
    guard let x = ChartScale(holding: shown, to: (left, right), logarithmic: true) else { return nil }
    var canvas = SVGCanvas(width: right + 170, height: height(of: groups))
    axis(x, name: "milliseconds", bottom: canvas.height - 44, on: &canvas)
    draw(groups, left: left, on: &canvas) { row, y, canvas in
      guard let time = row.contestant.time else { return }
      let style = styles[row.contestant.engine]
      if let low = time.lowerNanoseconds, let high = time.upperNanoseconds {
        canvas.line(x(low * 1e-6), y, x(high * 1e-6), y, class: "range", stroke: style.color)
      }
      let text = "\(BenchmarkText.milliseconds(row.contestant, time)) ms"
      canvas.mark(x(row.value), y, style: style, title: "\(row.contestant.engine): \(text)")
      let ratio = time.limitFraction.map { ", \(BenchmarkText.ratio(1 / $0))×" } ?? ""
      let end = x((time.upperNanoseconds.map { max($0, time.medianNanoseconds) } ?? time.medianNanoseconds) * 1e-6)
      canvas.text(end + 11, y + 4, text + ratio, class: "small")
    } group: { group, first, last, canvas in
      guard let limit = group.workload.limitNanoseconds else { return }
      canvas.line(
        x(limit * 1e-6), first - rowHeight / 2, x(limit * 1e-6), last + rowHeight / 2, class: "limit",
        title: "limit of \(BenchmarkText.network(group.workload)): \(BenchmarkText.milliseconds(limit)) ms")
    }
    return HTMLPage.Figure(
      title: "Time of whole networks: \(setting)",
      caption:
        "Median over blocks with its interval, to the right of it the time by the limit, which is the upright bar: the "
        + "sum of the least times of the network's layers. A question mark: the time is claimed by the engine alone.",
      svg: canvas.svg(label: "Time of whole networks by engine, \(setting)"))
  }

  /// What each engine holds of memory: its start, and the network on top.
  static func memory(_ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, setting: String)
    -> HTMLPage.Figure?
  {
    let styles = EngineStyles(section.engines.map(\.name))
    let groups = groups(workloads, section) { $0.memory.map { Double($0.peakBytes) / 1_048_576 } }
    let longest = groups.flatMap(\.rows).map(\.value).max() ?? 0
    guard longest > 0, longest < 1e300 else { return nil }
    let (left, right) = (left(of: groups), left(of: groups) + 560)
    let x = ChartScale(0...longest, to: (left, right), logarithmic: false)
    var canvas = SVGCanvas(width: right + 170, height: height(of: groups))
    axis(x, name: "MiB", bottom: canvas.height - 44, on: &canvas)
    draw(groups, left: left, on: &canvas) { row, y, canvas in
      guard let memory = row.contestant.memory else { return }
      func place(_ bytes: Int) -> Double { x(Double(bytes) / 1_048_576) }
      func text(_ bytes: Int) -> String { "\(BenchmarkText.wholeMebibytes(bytes)) MiB" }
      let (start, peak) = (place(min(memory.startBytes, memory.peakBytes)), place(memory.peakBytes))
      let engine = row.contestant.engine
      canvas.rectangle(
        left, y - 6, start - left, 12, class: "started", title: "\(engine), started: \(text(memory.startBytes))")
      canvas.rectangle(
        start, y - 6, peak - start, 12, fill: styles[engine].color,
        title: "\(engine), for the network: \(text(memory.workloadBytes))")
      if let running = memory.runningBytes {
        canvas.line(
          place(running), y - 8, place(running), y + 8, class: "limit",
          title: "\(engine), while the network runs: \(text(running))")
      }
      canvas.text(
        peak + 8, y + 4, "\(text(memory.peakBytes)) (\(BenchmarkText.wholeMebibytes(memory.workloadBytes)))",
        class: "small")
    }
    return HTMLPage.Figure(
      title: "Peak memory of whole networks: \(setting)",
      caption:
        "Resident memory of the engine's processes, in a run for nothing else. Grey: when the engine had started, with "
        + "its framework loaded. Coloured, and in brackets: what came on top while the network was prepared and run. The "
        + "upright bar: the most while it ran, when all was prepared.",
      svg: canvas.svg(label: "Peak memory of whole networks by engine, \(setting)"))
  }

  private struct Row {
    let contestant: BenchmarkContestant
    let value: Double
  }

  private struct Group {
    let workload: BenchmarkWorkload
    let rows: [Row]
  }

  private static func groups(
    _ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, value: (BenchmarkContestant) -> Double?
  ) -> [Group] {
    workloads.map { workload in
      let rows = section.engines.compactMap { engine in
        workload.contestant(engine.name).flatMap { contestant in
          value(contestant).map { Row(contestant: contestant, value: $0) }
        }
      }
      return Group(workload: workload, rows: rows)
    }.filter { !$0.rows.isEmpty }
  }

  private static func left(of groups: [Group]) -> Double {
    30 + 6.8 * Double(groups.flatMap(\.rows).map(\.contestant.engine.count).max() ?? 0)
  }

  private static func height(of groups: [Group]) -> Double {
    top + groups.reduce(0) { $0 + headingHeight + rowHeight * Double($1.rows.count) } + 50
  }

  private static func axis(_ x: ChartScale, name: String, bottom: Double, on canvas: inout SVGCanvas) {
    for tick in x.ticks {
      canvas.line(x(tick), top, x(tick), bottom, class: "grid")
      canvas.text(x(tick), bottom + 16, x.label(tick), anchor: .middle, class: "tick")
    }
    canvas.text((x.range.0 + x.range.1) / 2, bottom + 36, name, anchor: .middle, class: "name")
  }

  /// - Parameters:
  ///   - groups: in their order.
  ///   - left: where lines begin.
  ///   - canvas: to draw on.
  ///   - drawRow: draws one line at its height.
  ///   - group: draws what all of a group's lines have, from the height of the first to that of the last.
  private static func draw(
    _ groups: [Group], left: Double, on canvas: inout SVGCanvas,
    row drawRow: (Row, Double, inout SVGCanvas) -> Void,
    group: (Group, _ first: Double, _ last: Double, inout SVGCanvas) -> Void = { _, _, _, _ in }
  ) {
    var y = top
    for found in groups {
      y += headingHeight
      canvas.text(8, y - 14, BenchmarkText.network(found.workload), class: "legend")
      group(found, y, y + rowHeight * Double(found.rows.count - 1), &canvas)
      for row in found.rows {
        canvas.text(left - 8, y + 4, row.contestant.engine, anchor: .end, class: "small")
        drawRow(row, y, &canvas)
        y += rowHeight
      }
    }
  }
}
