import Results

/// Curves over one axis.
struct LineChart {
  var title: String
  var caption: String
  var xName: String
  var yName: String
  /// Where values span more than a factor of ten.
  var mayBeLogarithmic = false
  /// Where a vertical line stands.
  var marked: Double?
  var series: [(name: String, points: [(Double, Double)])]

  /// So many points at most have marks: more would hide the curve.
  private static let mostMarks = 60

  /// `nil` without a point.
  var figure: HTMLPage.Figure? {
    let all = series.flatMap(\.points).map(\.1).filter(\.isFinite)
    let isLogarithmic = mayBeLogarithmic && (all.max() ?? 0) > 10 * max(all.min() ?? 0, 0)
    let points = series.flatMap(\.points).filter { $0.1.isFinite && (!isLogarithmic || $0.1 > 0) }
    guard let x = ChartScale(holding: points.map(\.0), to: (80, 700), logarithmic: false),
      let y = ChartScale(holding: points.map(\.1), to: (300, 20), logarithmic: isLogarithmic)
    else { return nil }
    var canvas = SVGCanvas(width: 900, height: 350)
    canvas.axes(x: x, y: y, xName: xName, yName: yName)
    if let marked { canvas.line(x(marked), y.range.0, x(marked), y.range.1, class: "zero", title: "\(Int(marked))") }
    let drawn = series.enumerated().filter { !$0.element.points.isEmpty }
    for (index, series) in drawn {
      let style = SeriesStyle(index: index)
      let visible = series.points.filter { $0.1.isFinite && (!isLogarithmic || $0.1 > 0) }
      canvas.polyline(visible.map { (x($0.0), y($0.1)) }, class: "path", stroke: style.color)
      guard visible.count <= Self.mostMarks else { continue }
      for point in visible {
        canvas.mark(
          x(point.0), y(point.1), style: style, size: 3.5,
          title: "\(series.name), \(xName) \(Int(point.0)): \(NumberText.short(point.1))")
      }
    }
    canvas.legend(725, 30, drawn.map { ($0.element.name, SeriesStyle(index: $0.offset), false) })
    return HTMLPage.Figure(title: title, caption: caption, svg: canvas.svg(label: title))
  }
}
