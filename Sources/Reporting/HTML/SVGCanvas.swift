import Foundation

/// An SVG picture under construction. Colours come from classes or from fixed fills, so that one picture serves light, dark
/// and paper.
struct SVGCanvas {
  enum Anchor: String { case start, middle, end }

  let width: Double
  let height: Double
  private var body: [String] = []

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  /// What "unsupported" is filled with; the page needs one of them, and each picture brings its own.
  private static let hatch =
    "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
    + "<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\" class=\"hatchline\"/></pattern></defs>"

  /// One decimal is a tenth of a pixel.
  static func number(_ value: Double) -> String {
    let rounded = (value * 10).rounded() / 10
    return Int(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
  }

  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }

  private func attributes(_ pairs: [(String, String?)]) -> String {
    pairs.compactMap { name, value in value.map { " \(name)=\"\(Self.escaped($0))\"" } }.joined()
  }

  private mutating func element(_ name: String, _ pairs: [(String, String?)], title: String? = nil) {
    guard let title else { return body.append("<\(name)\(attributes(pairs))/>") }
    body.append("<\(name)\(attributes(pairs))><title>\(Self.escaped(title))</title></\(name)>")
  }

  mutating func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: String? = nil, class name: String? = nil,
    title: String? = nil
  ) {
    element(
      "rect",
      [
        ("x", Self.number(x)), ("y", Self.number(y)), ("width", Self.number(max(width, 0))),
        ("height", Self.number(max(height, 0))), ("fill", fill), ("class", name),
      ], title: title)
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, class name: String, stroke: String? = nil,
    title: String? = nil
  ) {
    element(
      "line",
      [
        ("x1", Self.number(x1)), ("y1", Self.number(y1)), ("x2", Self.number(x2)), ("y2", Self.number(y2)),
        ("class", name), ("stroke", stroke),
      ], title: title)
  }

  mutating func polyline(_ points: [(Double, Double)], class name: String, stroke: String? = nil) {
    let text = points.map { "\(Self.number($0.0)),\(Self.number($0.1))" }.joined(separator: " ")
    element("polyline", [("points", text), ("class", name), ("stroke", stroke), ("fill", "none")])
  }

  mutating func path(_ data: String, class name: String) { element("path", [("d", data), ("class", name)]) }

  mutating func ring(_ x: Double, _ y: Double, _ radius: Double) {
    element(
      "circle", [("cx", Self.number(x)), ("cy", Self.number(y)), ("r", Self.number(radius)), ("class", "ring")])
  }

  mutating func text(
    _ x: Double, _ y: Double, _ content: String, anchor: Anchor = .start, class name: String? = nil,
    fill: String? = nil, rotated: Bool = false
  ) {
    let turn = rotated ? "rotate(-90 \(Self.number(x)) \(Self.number(y)))" : nil
    let pairs = attributes([
      ("x", Self.number(x)), ("y", Self.number(y)), ("text-anchor", anchor == .start ? nil : anchor.rawValue),
      ("class", name), ("fill", fill), ("transform", turn),
    ])
    body.append("<text\(pairs)>\(Self.escaped(content))</text>")
  }

  /// What is drawn leads to a place of the same page.
  mutating func link(to anchor: String, _ draw: (inout SVGCanvas) -> Void) {
    body.append("<a\(attributes([("href", "#\(anchor)")]))>")
    draw(&self)
    body.append("</a>")
  }

  /// A mark whose shape tells the series apart without its colour.
  /// - Parameter note: small, at the upper right of the mark.
  mutating func mark(
    _ x: Double, _ y: Double, style: SeriesStyle, hollow: Bool = false, size: Double = 4.5, title: String? = nil,
    note: String = ""
  ) {
    if !note.isEmpty { text(x + size + 1, y - 2, note, class: "small") }
    func point(_ dx: Double, _ dy: Double) -> String { "\(Self.number(x + dx * size)),\(Self.number(y + dy * size))" }
    let corners: [(Double, Double)] =
      switch style.shape {
      case .circle: []
      case .square: [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]
      case .triangle: [(0, -1.2), (1.1, 0.9), (-1.1, 0.9)]
      case .diamond: [(0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)]
      case .inverted: [(0, 1.2), (1.1, -0.9), (-1.1, -0.9)]
      case .hexagon: [(-0.6, -1), (0.6, -1), (1.2, 0), (0.6, 1), (-0.6, 1), (-1.2, 0)]
      }
    let paint: [(String, String?)] = [
      ("fill", hollow ? "none" : style.color), ("stroke", style.color), ("class", hollow ? "hollow" : "mark"),
    ]
    if corners.isEmpty {
      element(
        "circle", [("cx", Self.number(x)), ("cy", Self.number(y)), ("r", Self.number(size))] + paint, title: title)
    } else {
      let points = corners.map { point($0.0, $0.1) }.joined(separator: " ")
      element("polygon", [("points", points)] + paint, title: title)
    }
  }

  /// - Parameter label: what a person who does not see the picture is told.
  func svg(label: String) -> String {
    let (w, h) = (Self.number(width), Self.number(height))
    return
      "<svg viewBox=\"0 0 \(w) \(h)\" width=\"\(w)\" height=\"\(h)\" \(width > 640 ? "class=\"wide\" " : "")role=\"img\" aria-label=\"\(Self.escaped(label))\">"
      + (body.contains { $0.contains("class=\"hatch\"") } ? Self.hatch : "") + body.joined(separator: "\n") + "</svg>"
  }
}

extension SVGCanvas {
  /// A page's picture with the page's style in it, on a ground of its own.
  static func standalone(_ svg: String, style: String) -> String {
    guard let end = svg.firstIndex(of: ">") else { return svg }
    let head = svg[..<end].replacing("<svg ", with: "<svg xmlns=\"http://www.w3.org/2000/svg\" ", maxReplacements: 1)
    return head + "><style>\(style)svg{background:var(--bg);max-width:none}</style>" + svg[svg.index(after: end)...]
      + "\n"
  }
}

/// From values to pixels, with the ticks that an axis shows.
struct ChartScale {
  let domain: ClosedRange<Double>
  let range: (Double, Double)
  let isLogarithmic: Bool

  /// - Requires: with `logarithmic`, a domain above 0.
  init(_ domain: ClosedRange<Double>, to range: (Double, Double), logarithmic: Bool) {
    self.domain = domain
    self.range = range
    isLogarithmic = logarithmic
  }

  /// Beyond it a domain's ends, and what lies between them, are no longer finite numbers.
  private static let largest = 1e300

  /// A scale that holds all of these and a little more; `nil` without values. What no axis can show, it leaves out.
  init?(holding values: [Double], to range: (Double, Double), logarithmic: Bool) {
    let usable = values.filter { $0.magnitude < Self.largest && (!logarithmic || $0 > 1 / Self.largest) }
    guard let low = usable.min(), let high = usable.max() else { return nil }
    if logarithmic {
      self.init((low / 1.25)...(high * 1.25), to: range, logarithmic: true)
    } else {
      let margin = max((high - low) * 0.06, abs(high) * 0.01, 1e-12)
      self.init((low - margin)...(high + margin), to: range, logarithmic: false)
    }
  }

  func callAsFunction(_ value: Double) -> Double {
    let (low, high) = (transformed(domain.lowerBound), transformed(domain.upperBound))
    let fraction =
      high > low ? (transformed(min(max(value, domain.lowerBound), domain.upperBound)) - low) / (high - low) : 0
    return range.0 + fraction * (range.1 - range.0)
  }

  private func transformed(_ value: Double) -> Double { isLogarithmic ? log10(max(value, 1e-300)) : value }

  /// A tick's label, with as many decimals as tell it from its neighbours.
  func label(_ tick: Double) -> String {
    guard !isLogarithmic, let step else { return Self.label(tick) }
    let (magnitude, decimals) = (max(abs(domain.lowerBound), abs(domain.upperBound)), -log10(step))
    // Powers of ten only where figures would be long: the digits before the point, or the zeros after it.
    guard magnitude < 1e6, magnitude >= 1e-3, decimals < 12 else {
      let digits = Int((log10(max(magnitude, step)) + decimals).rounded(.up))
      return tick == 0 ? "0" : String(format: "%.\(min(max(digits, 0), 15))e", tick)
    }
    return String(format: "%.\(max(0, Int((decimals - 1e-9).rounded(.up))))f", tick == 0 ? 0 : tick)
  }

  var ticks: [Double] { isLogarithmic ? logarithmicTicks : linearTicks }

  private var logarithmicTicks: [Double] {
    let decades = Int(log10(domain.lowerBound).rounded(.down))...Int(log10(domain.upperBound).rounded(.up))
    let wide = decades.count > 4
    let all = decades.flatMap { decade in (wide ? [1.0] : [1, 2, 5]).map { $0 * pow(10, Double(decade)) } }
    let shown = all.filter { domain.contains($0) }
    // Within one factor of two or so 1, 2 and 5 leave an axis nearly bare.
    return shown.count >= 3 || wide ? shown : linearTicks
  }

  /// From one linear tick to the next; `nil` of a domain without extent.
  private var step: Double? {
    let rough = (domain.upperBound - domain.lowerBound) / 6
    guard rough > 0 else { return nil }
    let power = pow(10, log10(rough).rounded(.down))
    return ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10) * power
  }

  private var linearTicks: [Double] {
    guard let step else { return [domain.lowerBound] }
    let first = (domain.lowerBound / step).rounded(.up)
    let last = (domain.upperBound / step).rounded(.down)
    guard last >= first else { return [] }
    return stride(from: first, through: last, by: 1).map { $0 * step }
  }

  /// A tick's label, without a tail of zeros.
  static func label(_ value: Double) -> String {
    if value == 0 || abs(value) < 1e-12 { return "0" }
    let magnitude = abs(value)
    if magnitude >= 1e6 || magnitude < 1e-3 { return String(format: "%.0e", value) }
    var text = String(format: magnitude >= 100 ? "%.0f" : magnitude >= 1 ? "%.1f" : "%.3f", value)
    if text.contains(".") {
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
    }
    return text
  }
}

extension SVGCanvas {
  /// Both axes with grid lines, ticks and names, round the scales' ranges.
  mutating func axes(x: ChartScale, y: ChartScale, xName: String, yName: String) {
    let (left, right, bottom, top) = (x.range.0, x.range.1, y.range.0, y.range.1)
    for tick in x.ticks {
      line(x(tick), bottom, x(tick), top, class: "grid")
      text(x(tick), bottom + 16, x.label(tick), anchor: .middle, class: "tick")
    }
    for tick in y.ticks {
      line(left, y(tick), right, y(tick), class: "grid")
      text(left - 7, y(tick) + 4, y.label(tick), anchor: .end, class: "tick")
    }
    line(left, bottom, right, bottom, class: "axis")
    line(left, bottom, left, top, class: "axis")
    text((left + right) / 2, bottom + 36, xName, anchor: .middle, class: "name")
    text(left - 48, (top + bottom) / 2, yName, anchor: .middle, class: "name", rotated: true)
  }

  /// Series' marks and names in a column.
  /// What the bars of class `limit` are.
  mutating func limitLegend(_ x: Double, _ y: Double) {
    line(x - 6, y, x + 6, y, class: "limit")
    text(x + 12, y + 4, "limit", class: "legend")
  }

  mutating func legend(_ x: Double, _ y: Double, _ entries: [(name: String, style: SeriesStyle, hollow: Bool)]) {
    for (index, entry) in entries.enumerated() {
      let row = y + Double(index) * 19
      mark(x, row, style: entry.style, hollow: entry.hollow, size: 5)
      text(x + 12, row + 4, entry.name, class: "legend")
    }
  }
}
