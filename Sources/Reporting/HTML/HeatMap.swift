import Foundation
import Results

/// Speed-up over the baseline, layer by engine: blue is faster, orange slower, on a logarithmic scale round 1×.
enum HeatMap {
  /// Beyond 4× the colour does not deepen.
  private static let limit = log2(4.0)

  static func figure(_ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, setting: String) -> HTMLPage.Figure?
  {
    let baseline = section.options.baseline
    // A column for whoever was timed somewhere here, or has a fault to show.
    let engines = section.engines.map(\.name).filter { name in
      name != baseline
        && workloads.contains { $0.contestant(name).map { $0.time != nil || $0.status.isFault } ?? false }
    }
    let idle = section.engines.map(\.name).filter { $0 != baseline && !engines.contains($0) }
    guard !engines.isEmpty, workloads.contains(where: { $0.contestants.contains { $0.time?.speedup != nil } }) else {
      return nil
    }
    let labels = workloads.map { BenchmarkText.shape($0.problem) }
    let left = 16 + 6.8 * Double(labels.map(\.count).max() ?? 0)
    let (column, row, top) = (max(72.0, 7.2 * Double(engines.map(\.count).max() ?? 0) + 12), 22.0, 34.0)
    let width = left + column * Double(engines.count) + 14
    let height = top + row * Double(workloads.count) + 66
    var canvas = SVGCanvas(width: max(width, 660), height: height)
    for (index, engine) in engines.enumerated() {
      canvas.text(left + column * (Double(index) + 0.5), top - 10, engine, anchor: .middle, class: "legend")
    }
    for (line, workload) in workloads.enumerated() {
      let y = top + row * Double(line)
      canvas.text(left - 8, y + 15, labels[line], anchor: .end, class: "mono")
      for (index, engine) in engines.enumerated() {
        cell(&canvas, workload, engine, baseline, x: left + column * Double(index), y: y, column - 2, row - 2)
      }
    }
    legend(&canvas, y: top + row * Double(workloads.count) + 16)
    return HTMLPage.Figure(
      title: "Speed-up over \(baseline): \(setting)",
      caption:
        "Time of \(baseline) by time of the engine, on each distinct problem. Grey: the interval spans 1×. Hatched: "
        + "the engine does not do it. Wrong, failed or cheated: it has no time, and the mark leads to what was found. A question "
        + "mark: the time is claimed by the engine alone. A frame marks the fastest of the row and those that tie with it; no "
        + "frame: nothing is certainly faster than \(baseline)."
        + (idle.isEmpty ? "" : " Without a column, since they do none of this: \(idle.joined(separator: ", "))."),
      svg: canvas.svg(label: "Speed-up over \(baseline), layer by engine, \(setting)"))
  }

  private static func cell(
    _ canvas: inout SVGCanvas, _ workload: BenchmarkWorkload, _ engine: String, _ baseline: String, x: Double,
    y: Double,
    _ width: Double, _ height: Double
  ) {
    guard let contestant = workload.contestant(engine), let time = contestant.time, let speedup = time.speedup else {
      let contestant = workload.contestant(engine)
      let why = contestant.map { "\($0.status.rawValue): \($0.message)" } ?? "not measured"
      guard let status = contestant?.status, status.isFault else {
        return canvas.rectangle(x, y, width, height, class: "hatch", title: "\(engine): \(why)")
      }
      return canvas.link(to: BenchmarkText.anchor(workload, engine)) {
        wrong(&$0, status.rawValue, x, y, width, height, title: "\(engine): \(why)")
      }
    }
    let spansOne = (time.speedupLower ?? speedup) <= 1 && (time.speedupUpper ?? speedup) >= 1
    let (fill, text) = spansOne ? ("#c9ccd1", "dark") : color(speedup)
    let interval = time.speedupLower.flatMap { low in
      time.speedupUpper.map { " (\(BenchmarkText.multiple(low)) to \(BenchmarkText.multiple($0)))" }
    }
    canvas.rectangle(
      x, y, width, height, fill: fill,
      title: "\(engine) on \(workload.problem): \(BenchmarkText.multiple(speedup))×\(interval ?? "")")
    canvas.text(
      x + width / 2, y + height / 2 + 4, BenchmarkText.multiple(speedup) + "×" + contestant.mark, anchor: .middle,
      class: "cell \(text)")
    // In the colour of the text, which can be read on the cell in light and dark alike.
    if workload.isAmongBest(engine), !spansOne {
      canvas.rectangle(x + 2.5, y + 2.5, width - 5, height - 5, class: "outline \(text)")
    }
  }

  private static func wrong(
    _ canvas: inout SVGCanvas, _ word: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double,
    title: String? = nil
  ) {
    canvas.rectangle(x + 1, y + 1, width - 2, height - 2, class: "wrong", title: title)
    canvas.text(x + width / 2, y + height / 2 + 4, word.uppercased(), anchor: .middle, class: "wrongtext")
  }

  /// A colour between white and a deep blue or orange, and the class of text that can be read on it.
  static func color(_ speedup: Double) -> (fill: String, text: String) {
    let depth = max(-1, min(1, log2(max(speedup, 1e-9)) / limit))
    let target: (Double, Double, Double) = depth >= 0 ? (0, 74, 148) : (176, 74, 0)
    let weight = abs(depth).squareRoot()
    func mixed(_ channel: Double) -> Int { Int((244 + (channel - 244) * weight).rounded()) }
    let (red, green, blue) = (mixed(target.0), mixed(target.1), mixed(target.2))
    let luminance = 0.2126 * Double(red) + 0.7152 * Double(green) + 0.0722 * Double(blue)
    return (String(format: "#%02x%02x%02x", red, green, blue), luminance > 125 ? "dark" : "light")
  }

  private static func legend(_ canvas: inout SVGCanvas, y: Double) {
    let steps = [0.25, 0.35, 0.5, 0.71, 0.9, 1.1, 1.41, 2, 2.83, 4]
    for (index, value) in steps.enumerated() {
      canvas.rectangle(16 + 26 * Double(index), y, 25, 12, fill: color(value).fill)
    }
    for (index, label) in [(0, "¼×"), (2, "½×"), (7, "2×"), (9, "4×")] {
      canvas.text(28 + 26 * Double(index), y + 26, label, anchor: .middle, class: "tick")
    }
    canvas.text(16 + 26 * 5, y + 26, "1×", anchor: .middle, class: "tick")
    canvas.rectangle(300, y, 25, 12, fill: "#c9ccd1")
    canvas.text(331, y + 11, "interval spans 1×", class: "tick")
    canvas.rectangle(440, y, 25, 12, class: "hatch")
    canvas.text(471, y + 11, "unsupported", class: "tick")
    wrong(&canvas, "wrong", 548, y - 3, 60, 18)
    canvas.text(614, y + 11, "result", class: "tick")
  }
}
