import Tensors

/// What the failing elements of a gradient have in common, and the mistake that is known to look like that.
struct BadIndexPattern: Sendable {
  let description: String
  let hint: String?

  /// - Parameters:
  ///   - bad: offsets, ascending, not empty.
  ///   - numeric: `nil` where an element was not determined.
  init(shape: Shape, bad: [Int], analytic: [Double], numeric: [Double?]) {
    let looked = numeric.indices.filter { numeric[$0] != nil }
    description = Self.places(shape: shape, bad: bad, looked: looked)
    hint = Self.hint(shape: shape, bad: bad, looked: looked, analytic: analytic, numeric: numeric)
  }

  private static func places(shape: Shape, bad: [Int], looked: [Int]) -> String {
    if bad.count == 1, let only = bad.first { return "the single element \(shape.index(ofOffset: only))" }
    if bad.count == looked.count { return "all \(bad.count) elements" }
    let names = axisNames(shape.rank)
    var parts: [String] = []
    let badIndices = bad.map { shape.index(ofOffset: $0) }
    let lookedIndices = looked.map { shape.index(ofOffset: $0) }
    for axis in 0..<shape.rank where shape[axis] > 1 {
      let values = Set(badIndices.map { $0[axis] }).sorted()
      let possible = Set(lookedIndices.map { $0[axis] }).sorted()
      if values != possible { parts.append("\(names[axis]) \(summary(values, of: possible))") }
    }
    let share = "\(bad.count) of \(looked.count) elements"
    return parts.isEmpty ? share + ", on every axis" : share + ": " + parts.joined(separator: ", ")
  }

  private static func axisNames(_ rank: Int) -> [String] {
    switch rank {
    case 4: ["axis 0 =", "axis 1 =", "row", "column"]
    default: (0..<rank).map { "axis \($0) =" }
    }
  }

  private static func summary(_ values: [Int], of possible: [Int]) -> String {
    if let first = values.first, let last = values.last {
      if values.count == 1 { return "\(first)" + (first == possible.last ? " (the last)" : "") }
      if values == Array(first...last) { return "\(first)…\(last)" }
      if values == [possible.first, possible.last].compactMap({ $0 }) { return "\(first) and \(last) (both borders)" }
      let step = values[1] - values[0]
      if step > 1, values == Array(stride(from: first, through: last, by: step)) {
        return "\(first), \(first + step), … (every \(step)th)"
      }
    }
    let shown = values.prefix(6).map(String.init).joined(separator: ", ")
    return values.count > 6 ? "\(shown), … (\(values.count) of \(possible.count))" : shown
  }

  private static func hint(
    shape: Shape, bad: [Int], looked: [Int], analytic: [Double], numeric: [Double?]
  ) -> String? {
    let pairs = bad.compactMap { element in numeric[element].map { (analytic[element], $0) } }
      .filter { $0.0.isFinite && $0.1.isFinite }
    guard !pairs.isEmpty else { return "not finite: a buffer not written, a division by zero, or an overflow" }
    if pairs.allSatisfy({ $0.0 == 0 }) { return "the analytic gradient is 0 there: a term is dropped or never written" }
    if let ratio = commonRatio(pairs) { return ratioHint(ratio) }
    guard bad.count > 1, looked.count == analytic.count else { return nil }
    let values = numeric.map { $0 ?? .nan }
    if shape.rank == 4, shape[2] * shape[3] > 1 {
      if agrees(analytic, values, shape, { [$0[0], $0[1], shape[2] - 1 - $0[2], shape[3] - 1 - $0[3]] }) {
        return "the gradient with both spatial axes reversed: the kernel is flipped"
      }
      if shape[2] == shape[3], agrees(analytic, values, shape, { [$0[0], $0[1], $0[3], $0[2]] }) {
        return "the gradient with rows and columns exchanged"
      }
    }
    if shape.rank >= 2, shape[0] == shape[1],
      agrees(analytic, values, shape, { [$0[1], $0[0]] + $0.dropFirst(2) })
    {
      return "the gradient with its first two axes exchanged: a transposed weight"
    }
    if let shift = commonDifference(pairs), bad.count == looked.count {
      return "off by the same \(shift) everywhere: a mean term is dropped, or added twice"
    }
    return nil
  }

  private static func commonRatio(_ pairs: [(Double, Double)]) -> Double? {
    guard pairs.count > 1, let first = pairs.first, first.1 != 0 else { return nil }
    let ratio = first.0 / first.1
    return pairs.allSatisfy { abs($0.0 - ratio * $0.1) <= 1e-6 * max(abs($0.0), abs($0.1)) } ? ratio : nil
  }

  private static func commonDifference(_ pairs: [(Double, Double)]) -> Double? {
    guard pairs.count > 2, let first = pairs.first else { return nil }
    let shift = first.0 - first.1
    return pairs.allSatisfy { abs($0.0 - $0.1 - shift) <= 1e-6 * abs(shift) } ? shift : nil
  }

  private static func ratioHint(_ ratio: Double) -> String {
    let rounded = ratio.rounded()
    if abs(ratio + 1) < 1e-6 { return "the sign is wrong" }
    if rounded >= 2, abs(ratio - rounded) < 1e-6 * rounded {
      return "\(Int(exactly: rounded) ?? 0) times too large: not divided by an extent, or accumulated more than once"
    }
    let inverse = 1 / ratio
    if inverse.rounded() >= 2, abs(inverse - inverse.rounded()) < 1e-6 * inverse {
      return
        "\(Int(exactly: inverse.rounded()) ?? 0) times too small: averaged where it must be summed, or divided twice"
    }
    return "a constant factor of \(ratio)"
  }

  private static func agrees(
    _ analytic: [Double], _ numeric: [Double], _ shape: Shape, _ source: ([Int]) -> [Int]
  ) -> Bool {
    let strides = shape.strides
    return analytic.indices.allSatisfy { element in
      let offset = zip(source(shape.index(ofOffset: element)), strides).reduce(0) { $0 + $1.0 * $1.1 }
      let expected = numeric[offset]
      return abs(analytic[element] - expected) <= 1e-6 * max(abs(analytic[element]), abs(expected))
    }
  }
}
