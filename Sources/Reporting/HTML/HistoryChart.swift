import Results

/// One benchmark's times over the runs of one machine: a curve for each engine, with the places where they changed.
enum HistoryChart {
  /// So many points of a curve have marks at most: more would hide it.
  private static let mostMarks = 80

  /// - Parameters:
  ///   - group: the series of one benchmark on one machine.
  ///   - runs: of that machine, earliest first.
  ///   - anchors: the place of each run in the page's table.
  ///   - styles: the looks of the page's engines.
  /// - Returns: `nil` where no run has a time to draw.
  static func svg(
    _ group: [HistorySection.Series], runs: [String], anchors: [String: String], styles: EngineStyles
  ) -> String? {
    let values = group.flatMap { $0.points.map { $0.nanoseconds * 1e-6 } }
    guard let y = ChartScale(holding: values, to: (196, 16), logarithmic: false), let title = group.first?.benchmark
    else { return nil }
    let x = ChartScale(0...Double(max(runs.count - 1, 1)), to: (90, 760), logarithmic: false)
    let places = Dictionary(runs.enumerated().map { ($0.element, Double($0.offset)) }, uniquingKeysWith: { a, _ in a })
    var canvas = SVGCanvas(width: 960, height: 240)
    for tick in y.ticks {
      canvas.line(90, y(tick), 760, y(tick), class: "grid")
      canvas.text(83, y(tick) + 4, y.label(tick), anchor: .end, class: "tick")
    }
    canvas.line(90, 196, 760, 196, class: "axis")
    canvas.text(22, 106, "ms", anchor: .middle, class: "name", rotated: true)
    for series in group {
      let style = styles[series.engine]
      let points = series.points.map { (x(places[$0.run] ?? 0), y($0.nanoseconds * 1e-6)) }
      canvas.polyline(points, class: "path", stroke: style.color)
      if points.count <= mostMarks {
        for (point, place) in zip(series.points, points) {
          let text = "\(series.engine) \(point.started.prefix(10)): \(BenchmarkText.milliseconds(point.nanoseconds)) ms"
          canvas.link(to: anchors[point.run] ?? "runs") { canvas in
            canvas.mark(place.0, place.1, style: style, size: 3, title: text)
          }
        }
      }
      for change in series.changes ?? [] where change.position > 0 && change.position < points.count {
        let middle = (points[change.position].0 + points[change.position - 1].0) / 2
        let text = "\(series.engine) \(BenchmarkText.change(change.ratio - 1))\(change.isConfirmed ? "" : ", weak")"
        canvas.line(
          middle, 16, middle, 196, class: change.isConfirmed ? "zero" : "roof soft", title: text)
        canvas.text(middle + 3, 12, change.isConfirmed ? BenchmarkText.change(change.ratio - 1) : "?", class: "small")
      }
    }
    let dates = [
      group.compactMap(\.points.first).map(\.started).min(), group.compactMap(\.points.last).map(\.started).max(),
    ]
    for (date, anchor) in zip(dates, [SVGCanvas.Anchor.start, .end]) {
      canvas.text(anchor == .start ? 90 : 760, 213, String((date ?? "").prefix(10)), anchor: anchor, class: "tick")
    }
    canvas.text(425, 232, "\(runs.count) runs, earliest first", anchor: .middle, class: "name")
    canvas.legend(785, 28, group.map { ($0.engine, styles[$0.engine], false) })
    return canvas.svg(label: "History of \(title)")
  }
}
