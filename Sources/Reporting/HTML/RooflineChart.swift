import Foundation
import Results

/// Performance by arithmetic intensity, both logarithmic, under the measured ceilings.
enum RooflineChart {
  static func figure(
    _ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, threads: Int, title: String
  ) -> HTMLPage.Figure? {
    guard let ceiling = section.ceilings.first(where: { $0.threads == threads }) else { return nil }
    struct Point {
      var intensity: Double
      var gigaflops: Double
      var engine: Int
      var hollow: Bool
      var title: String
      var note: String
    }
    var points: [Point] = []
    for workload in workloads {
      for (index, engine) in section.engines.enumerated() {
        guard let contestant = workload.contestant(engine.name), let time = contestant.time,
          workload.compulsoryBytes > 0, workload.flops > 0
        else { continue }
        points.append(
          Point(
            intensity: workload.flops / workload.compulsoryBytes, gigaflops: time.equivalentGigaflops, engine: index,
            hollow: time.actualGigaflops != nil || BenchmarkText.isEquivalent(time),
            title: "\(engine.name) on \(workload.problem): \(BenchmarkText.ratio(time.equivalentGigaflops)) GF/s",
            note: contestant.mark))
      }
    }
    guard !points.isEmpty else { return nil }
    let floors = workloads.compactMap { workload -> (intensity: Double, gigaflops: Double, title: String)? in
      guard let limit = workload.limitNanoseconds, workload.compulsoryBytes > 0, workload.flops > 0 else { return nil }
      return (
        workload.flops / workload.compulsoryBytes, workload.flops / limit,
        "limit of \(workload.problem): \(BenchmarkText.milliseconds(limit)) ms (\(workload.limitText))"
      )
    }
    let (left, right, bottom, top) = (70.0, 690.0, 400.0, 20.0)
    let bandwidths = [
      ceiling.l2GigabytesPerSecond, ceiling.l3GigabytesPerSecond, ceiling.memoryGigabytesPerSecond,
    ].compactMap { $0 }
    // From half the least intensity of a layer: bandwidths that meet the peak before that are no limit of any layer here, and
    // are named in the caption instead of being drawn.
    let least = points.map(\.intensity).filter { $0 > 0 }.min() ?? 1
    let ridges = bandwidths.filter { $0 > 0 }.map { ceiling.peakGigaflops / $0 }.filter { $0 > least / 2 }
    guard
      let x = ChartScale(holding: points.map(\.intensity) + [least / 2] + ridges, to: (left, right), logarithmic: true),
      let y = ChartScale(
        holding: points.map(\.gigaflops) + floors.map(\.gigaflops) + [ceiling.peakGigaflops * 1.3],
        to: (bottom, top), logarithmic: true)
    else { return nil }
    let styles = EngineStyles(section.engines.map(\.name))
    var canvas = SVGCanvas(width: 900, height: 450)
    canvas.axes(
      x: x, y: y, xName: "arithmetic intensity, flop per compulsory byte", yName: "GF/s of the definition's arithmetic")
    let roofs: [(String, Double, String)] =
      [("L2", ceiling.l2GigabytesPerSecond, "roof soft")]
      + (ceiling.l3GigabytesPerSecond.map { [("L3", $0, "roof soft")] } ?? [])
      + [("memory", ceiling.memoryGigabytesPerSecond, "roof soft")]
    var drawn: [(Double, Double)] = []
    var beyond: [String] = []
    for (name, bandwidth, style) in roofs {
      let text = "\(name) \(BenchmarkText.ratio(bandwidth)) GB/s"
      if !roof(&canvas, text, bandwidth, ceiling.peakGigaflops, x, y, style, labels: &drawn) { beyond.append(text) }
    }
    if y.domain.contains(ceiling.peakGigaflops) {
      canvas.line(left, y(ceiling.peakGigaflops), right, y(ceiling.peakGigaflops), class: "roof")
      canvas.text(
        right - 4, y(ceiling.peakGigaflops) - 6, "FMA peak \(BenchmarkText.ratio(ceiling.peakGigaflops)) GF/s",
        anchor: .end,
        class: "small")
    }
    for floor in floors {
      let (place, height) = (x(floor.intensity), y(floor.gigaflops))
      canvas.line(place - 8, height, place + 8, height, class: "limit", title: floor.title)
    }
    for point in points {
      canvas.mark(
        x(point.intensity), y(point.gigaflops), style: styles[section.engines[point.engine].name], hollow: point.hollow,
        title: point.title, note: point.note)
    }
    let shown = section.engines.enumerated().filter { index, _ in points.contains { $0.engine == index } }
    canvas.legend(
      715, 30,
      shown.map { index, engine in
        (engine.name, styles[engine.name], points.contains { $0.engine == index && $0.hollow })
      })
    if !floors.isEmpty { canvas.limitLegend(715, 30 + 19 * Double(shown.count)) }
    return HTMLPage.Figure(
      title: title,
      caption:
        "One mark for each problem that has products. Hollow marks are direct-equivalent: Winograd does fewer multiplications "
        + "than the definition, so it may stand above the peak. A bar is the limit: the best that the ceilings allow to any "
        + "algorithm that Assay knows. The ceilings were measured in this run; which bandwidth applies depends on where a layer's "
        + "operands fit."
        + (beyond.isEmpty ? "" : " Met left of the picture, so no limit here: \(beyond.joined(separator: ", ")).")
        + " A question mark: the time is claimed by the engine alone.",
      svg: canvas.svg(label: title))
  }

  /// The part of a bandwidth's line that lies under the peak and inside the picture, with its name beside it where no other
  /// name stands.
  /// - Parameter labels: where names stand already.
  /// - Returns: whether there is such a part.
  private static func roof(
    _ canvas: inout SVGCanvas, _ text: String, _ bandwidth: Double, _ peak: Double, _ x: ChartScale, _ y: ChartScale,
    _ style: String, labels: inout [(Double, Double)]
  ) -> Bool {
    let start = max(x.domain.lowerBound, y.domain.lowerBound / bandwidth)
    let end = min(x.domain.upperBound, peak / bandwidth)
    guard start < end else { return false }
    canvas.polyline([(x(start), y(start * bandwidth)), (x(end), y(end * bandwidth))], class: style)
    // To the right of the line, where it leads away from: below the last name that is near.
    let middle = (start * end).squareRoot()
    var place = (x(middle) + 8, y(middle * bandwidth) + 14)
    while labels.contains(where: { abs($0.0 - place.0) < 130 && abs($0.1 - place.1) < 13 }) {
      place.1 += 13
      place.0 += 4
    }
    labels.append(place)
    canvas.text(place.0, min(place.1, y.range.0 - 4), text, class: "small")
    return true
  }
}
