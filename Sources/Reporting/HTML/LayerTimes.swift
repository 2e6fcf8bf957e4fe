import Foundation
import Results

/// Where the time of one network goes in one engine: a bar for each step of a run, and the same by stage in numbers.
struct LayerTimes {
  private struct Step {
    let time: LayerTime
    let stage: String
    /// The strategy of a convolution, or what all others are called together.
    let kind: String
  }

  private static let other = "pools, mean, layout"

  /// The same colour in every picture.
  private static func color(_ kind: String) -> String {
    kind == other ? SeriesStyle.colors[7] : EngineStyles([kind])[kind].color
  }

  private let workload: BenchmarkWorkload
  private let engine: String
  private let steps: [Step]
  private let nanoseconds: Double
  /// From the one that takes most.
  private let kinds: [(name: String, nanoseconds: Double)]

  /// - Returns: nil without times of layers.
  init?(_ workload: BenchmarkWorkload, _ contestant: BenchmarkContestant) {
    guard let layers = contestant.layers, !layers.isEmpty else { return nil }
    self.workload = workload
    engine = contestant.engine
    nanoseconds = layers.reduce(0) { $0 + $1.nanoseconds }
    guard nanoseconds > 0, nanoseconds < 1e300 else { return nil }
    let lastOfStages = layers.lastIndex { $0.layer.hasPrefix("layer") } ?? -1
    var stage = "stem"
    steps = layers.enumerated().map { index, layer in
      if layer.layer.hasPrefix("layer") {
        stage = layer.layer.split(separator: ".").first.map(String.init) ?? stage
      } else if index > lastOfStages, lastOfStages >= 0 {
        stage = "head"
      }
      return Step(time: layer, stage: stage, kind: layer.problem == nil ? Self.other : layer.strategy)
    }
    let sums = Dictionary(steps.map { ($0.kind, $0.time.nanoseconds) }, uniquingKeysWith: +)
    kinds = sums.map { (name: $0.key, nanoseconds: $0.value) }
      .sorted { ($1.nanoseconds, $0.name) < ($0.nanoseconds, $1.name) }
  }

  private var title: String {
    "Where the time goes: \(BenchmarkText.network(workload)), batch \(workload.batch), "
      + "\(BenchmarkText.threads(workload.threads)), \(engine)"
  }

  private var stages: [(name: String, steps: [Step])] {
    var found: [(name: String, steps: [Step])] = []
    for step in steps {
      if found.last?.name != step.stage { found.append((step.stage, [])) }
      found[found.count - 1].steps.append(step)
    }
    return found
  }

  var figure: HTMLPage.Figure {
    let width = min(22, max(6, 860 / Double(steps.count)))
    let (left, right, top, bottom) = (64.0, 64 + width * Double(steps.count), 34.0, 260.0)
    let highest = steps.flatMap { [$0.time.nanoseconds, $0.time.limitNanoseconds ?? 0] }.max() ?? 1
    let y = ChartScale(0...(highest * 1.04e-6), to: (bottom, top), logarithmic: false)
    var canvas = SVGCanvas(width: max(right + 200, 700), height: 300)
    for tick in y.ticks {
      canvas.line(left, y(tick), right, y(tick), class: "grid")
      canvas.text(left - 7, y(tick) + 4, y.label(tick), anchor: .end, class: "tick")
    }
    canvas.text(18, (top + bottom) / 2, "milliseconds", anchor: .middle, class: "name", rotated: true)
    var x = left
    for stage in stages {
      let share = BenchmarkText.percent(stage.steps.reduce(0) { $0 + $1.time.nanoseconds } / nanoseconds)
      let end = x + width * Double(stage.steps.count)
      if x > left { canvas.line(x, top - 8, x, bottom, class: "roof soft") }
      canvas.text((x + end) / 2, bottom + 16, stage.name, anchor: .middle, class: "tick")
      canvas.text((x + end) / 2, bottom + 31, share, anchor: .middle, class: "tick")
      for step in stage.steps {
        draw(step, x, width, y, on: &canvas)
        x += width
      }
    }
    canvas.line(left, bottom, right, bottom, class: "axis")
    for (index, kind) in kinds.enumerated() {
      let row = top + 4 + Double(index) * 19
      canvas.rectangle(right + 24, row - 6, 12, 12, fill: Self.color(kind.name))
      canvas.text(
        right + 42, row + 4, "\(kind.name) \(BenchmarkText.percent(kind.nanoseconds / nanoseconds))", class: "legend")
    }
    if steps.contains(where: { $0.time.limitNanoseconds != nil }) {
      canvas.limitLegend(right + 30, top + 4 + Double(kinds.count) * 19)
    }
    return HTMLPage.Figure(
      title: title,
      caption:
        "A bar for each step in the order of a run, \(BenchmarkText.milliseconds(nanoseconds)) ms together, coloured by "
        + "what computes it: medians of runs with a clock between the steps, after the timing. Below: stages, and their share.",
      svg: canvas.svg(label: title))
  }

  private func draw(_ step: Step, _ x: Double, _ width: Double, _ y: ChartScale, on canvas: inout SVGCanvas) {
    let time = step.time
    var title = "\(time.layer), \(time.strategy): \(BenchmarkText.milliseconds(time.nanoseconds)) ms"
    if let problem = time.problem { title += " for \(problem)" }
    if let limit = time.limitNanoseconds { title += ", limit \(BenchmarkText.milliseconds(limit)) ms" }
    let top = y(time.nanoseconds * 1e-6)
    canvas.rectangle(x + 0.5, top, width - 1, y.range.0 - top, fill: Self.color(step.kind), title: title)
    guard let limit = time.limitNanoseconds else { return }
    canvas.line(x, y(limit * 1e-6), x + width, y(limit * 1e-6), class: "limit")
  }

  static let headings = [
    "network", "batch", "threads", "engine", "stage", "steps", "ms", "share", "limit, ms", "time by limit",
  ]

  /// A row for each stage.
  var rows: [[String]] {
    stages.map { stage in
      let time = stage.steps.reduce(0) { $0 + $1.time.nanoseconds }
      let limit = stage.steps.reduce(0) { $0 + ($1.time.limitNanoseconds ?? 0) }
      return [
        BenchmarkText.network(workload), "\(workload.batch)", "\(workload.threads)", engine, stage.name,
        "\(stage.steps.count)", BenchmarkText.milliseconds(time), BenchmarkText.percent(time / nanoseconds),
        limit > 0 ? BenchmarkText.milliseconds(limit) : "–", limit > 0 ? BenchmarkText.ratio(time / limit) : "–",
      ]
    }
  }
}
