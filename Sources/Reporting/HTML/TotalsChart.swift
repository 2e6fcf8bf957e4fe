import Foundation
import Results

/// The convolutions of each network added up: one bar an engine, in pieces by stage.
enum TotalsChart {
  static func figure(_ totals: [NetworkTotal], _ section: BenchmarkSection, setting: String) -> HTMLPage.Figure? {
    let longest = totals.flatMap(\.entries).map(\.nanoseconds).max() ?? 0
    // A sum of what a stored run says; beyond this it is no time.
    guard longest > 0, longest < 1e300 else { return nil }
    var stages: [String] = []
    for part in totals.flatMap(\.entries).flatMap(\.parts) where !stages.contains(part.stage) {
      stages.append(part.stage)
    }
    let names = totals.flatMap(\.entries).map(\.engine)
    let left = 24 + 7.2 * Double(names.map(\.count).max() ?? 0)
    let (right, row) = (left + 560, 19.0)
    let rows = totals.reduce(0) { $0 + $1.entries.count }
    let height = 44 + Double(totals.count) * 34 + Double(rows) * row + 44
    var canvas = SVGCanvas(width: right + 130, height: height)
    let x = ChartScale(0...(longest * 1e-6), to: (left, right), logarithmic: false)
    for (index, stage) in stages.enumerated() {
      canvas.rectangle(left + Double(index) * 92, 8, 14, 12, fill: color(index))
      canvas.text(left + Double(index) * 92 + 19, 18, stage, class: "legend")
    }
    let bottom = height - 44
    for tick in x.ticks {
      canvas.line(x(tick), 30, x(tick), bottom, class: "grid")
      canvas.text(x(tick), bottom + 16, x.label(tick), anchor: .middle, class: "tick")
    }
    canvas.text((left + right) / 2, bottom + 35, "milliseconds", anchor: .middle, class: "name")
    var y = 44.0
    for total in totals {
      canvas.text(8, y + 12, "\(total.network), \(total.convolutions) convolutions", class: "legend")
      y += 20
      for entry in total.entries {
        canvas.text(left - 8, y + 12, entry.engine, anchor: .end, class: "small")
        var start = 0.0
        for part in entry.parts {
          let stage = stages.firstIndex(of: part.stage) ?? 0
          let end = start + part.nanoseconds * 1e-6
          canvas.rectangle(
            x(start), y, x(end) - x(start), row - 5, fill: color(stage),
            title: "\(entry.engine), \(part.stage): \(BenchmarkText.milliseconds(part.nanoseconds)) ms")
          start = end
        }
        let note = entry.substituted > 0 ? " (\(entry.substituted) by \(section.options.baseline))" : ""
        canvas.text(
          x(start) + 6, y + 12, BenchmarkText.milliseconds(entry.nanoseconds) + entry.mark + note, class: "small")
        y += row
      }
      y += 14
    }
    return HTMLPage.Figure(
      title: "Convolutions of each network added up: \(setting)",
      caption:
        "Sums of layers timed alone, each as often as it occurs; not the time of a whole network. Best mix: the fastest "
        + "built-in strategy for each layer. In brackets: convolutions that the strategy cannot do, for which "
        + "\(section.options.baseline) stands in. A question mark: times are claimed by the engine alone.",
      svg: canvas.svg(label: "Convolutions of each network added up, \(setting)"))
  }

  /// Stages from dark to light, so that their order can be seen in grey as well.
  private static func color(_ index: Int) -> String {
    let colors = ["#5b4fa0", "#0072B2", "#56B4E9", "#E69F00", "#F3C98B", "#BBBBBB"]
    return colors[index % colors.count]
  }
}
