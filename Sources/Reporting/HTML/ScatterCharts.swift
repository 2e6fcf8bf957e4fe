import Foundation
import Results

/// Accuracy against speed, and the scratch memory that speed costs.
enum ScatterCharts {
  private struct Point {
    var engine: Int
    var ratio: Double
    var speed: Double
    var title: String
    var note: String
  }

  static func accuracy(_ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, setting: String) -> HTMLPage
    .Figure?
  {
    var points: [Point] = []
    for workload in workloads where workload.flops > 0 {
      for (index, engine) in section.engines.enumerated() {
        guard let contestant = workload.contestant(engine.name), let time = contestant.time,
          let ratio = contestant.worstRatio, ratio > 0, ratio.isFinite
        else { continue }
        points.append(
          Point(
            engine: index, ratio: ratio, speed: time.equivalentGigaflops,
            title: "\(engine.name) on \(workload.problem): error/bound \(NumberText.short(ratio)), "
              + "\(BenchmarkText.ratio(time.equivalentGigaflops)) GF/s", note: contestant.mark))
      }
    }
    return chart(
      points, section, xName: "largest error / bound of the result (1 would fail)",
      yName: "GF/s of the definition's arithmetic",
      title: "Accuracy against speed: \(setting)",
      caption:
        "Left is more accurate, up is faster. The error is that of the operands that were timed, by each element's own "
        + "bound; Winograd is held to its own, wider one.")
  }

  static func workspace(_ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, setting: String) -> HTMLPage
    .Figure?
  {
    var points: [Point] = []
    for workload in workloads where workload.flops > 0 {
      for (index, engine) in section.engines.enumerated() {
        guard let contestant = workload.contestant(engine.name), let time = contestant.time,
          contestant.workspaceBytes > 0
        else { continue }
        points.append(
          Point(
            engine: index, ratio: Double(contestant.workspaceBytes) / 1_048_576, speed: time.equivalentGigaflops,
            title: "\(engine.name) on \(workload.problem): \(BenchmarkText.mebibytes(contestant.workspaceBytes)) MiB",
            note: contestant.mark))
      }
    }
    return chart(
      points, section, xName: "workspace, MiB", yName: "GF/s of the definition's arithmetic",
      title: "Workspace memory against speed: \(setting)",
      caption:
        "Scratch memory beside operands, result and packed weights. Engines that need none, or do not say how much, have no "
        + "marks here; the tables have all figures.")
  }

  private static func chart(
    _ points: [Point], _ section: BenchmarkSection, xName: String, yName: String, title: String, caption: String
  ) -> HTMLPage.Figure? {
    guard let x = ChartScale(holding: points.map(\.ratio), to: (70, 690), logarithmic: true),
      let y = ChartScale(holding: points.map(\.speed), to: (360, 20), logarithmic: true)
    else { return nil }
    let styles = EngineStyles(section.engines.map(\.name))
    var canvas = SVGCanvas(width: 900, height: 410)
    canvas.axes(x: x, y: y, xName: xName, yName: yName)
    for point in points {
      canvas.mark(
        x(point.ratio), y(point.speed), style: styles[section.engines[point.engine].name], title: point.title,
        note: point.note)
    }
    let shown = section.engines.enumerated().filter { index, _ in points.contains { $0.engine == index } }
    canvas.legend(715, 30, shown.map { ($1.name, styles[$1.name], false) })
    return HTMLPage.Figure(title: title, caption: caption, svg: canvas.svg(label: title))
  }
}
