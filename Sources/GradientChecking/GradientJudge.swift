import Problems
import Results
import Tensors

/// Holds one operand's analytic gradient against what was determined without it, element by element.
struct GradientJudge: Sendable {
  let operand: String
  let shape: Shape
  let method: GradientMethod
  let analytic: [Double]
  var rounding: AnalyticRounding?
  /// Derivatives by dual numbers, where differences are judged and these are known: the documented convention at kinks, as the
  /// generic forward takes its branches, and what is too small for differences.
  var convention: NumericGradient?

  /// A bound as wide as this part of the derivative's own scale decides nothing.
  static let widestResolution = 1e-4

  func verdict(_ element: Int, _ numeric: NumericDerivative, typicalScale: Double) -> GradientElementRecord {
    let value = analytic[element]
    var record = GradientElementRecord(
      tensor: operand, index: shape.index(ofOffset: element), analytic: value, numeric: numeric.value,
      truncation: numeric.truncation, rounding: numeric.rounding,
      analyticRounding: rounding?.bound(operand, element: element, scale: numeric.scale) ?? 0, step: numeric.step,
      verdict: .pass, reason: nil)
    guard value.isFinite else {
      record.verdict = .fail
      record.reason = Self.reason(notFinite: value)
      return record
    }
    switch numeric.kind {
    case .undetermined(let reason):
      record.verdict = .inconclusive
      record.reason = reason
    case .kink(let low, let high):
      judgeKink(&record, element, low: low, high: high)
    case .smooth:
      if !(abs(record.difference) <= record.bound) {
        record.verdict = .fail
      } else if numeric.bound > Self.widestResolution * max(numeric.scale, typicalScale), !isKnownOtherwise(element) {
        record.verdict = .inconclusive
        record.reason = "the bound \(numeric.bound) is too wide to decide"
      }
    }
    return record
  }

  /// Whether dual numbers tell an element that differences do not: one that is 0 as the outputs never move, or that is far below what
  /// rounding makes of a step, such as those before a batch norm over two values, which makes ±1 of nearly any two. Differences
  /// within their own bound, however wide, do not speak against it.
  private func isKnownOtherwise(_ element: Int) -> Bool {
    guard let derivative = convention?.elements[element], case .smooth = derivative.kind else { return false }
    return derivative.bound <= Self.widestResolution * derivative.scale
  }

  func fails(_ element: Int, _ numeric: NumericGradient) -> Bool {
    numeric.elements[element].map { verdict(element, $0, typicalScale: 0).verdict == .fail } ?? false
  }

  /// The elements that fail, the worst first.
  func failing(_ numeric: NumericGradient) -> [Int] {
    let found = numeric.elements.indices.compactMap { element -> (element: Int, ratio: Double)? in
      guard let derivative = numeric.elements[element] else { return nil }
      let record = verdict(element, derivative, typicalScale: 0)
      return record.verdict == .fail ? (element, abs(record.difference) / record.bound) : nil
    }
    // A difference that is not finite is worse than any.
    func rank(_ ratio: Double) -> Double { ratio.isNaN ? .infinity : ratio }
    return found.sorted { (rank($1.ratio), $0.element) < (rank($0.ratio), $1.element) }.map(\.element)
  }

  /// A buffer's mark keeps its payload, so that what was never written is told from what was computed wrong.
  static func reason(notFinite value: Double) -> String {
    value.bitPattern == UnwrittenMark.float64.bitPattern
      ? "never written: the buffer still holds the NaN that it was filled with" : "the analytic gradient is \(value)"
  }

  private func judgeKink(_ record: inout GradientElementRecord, _ element: Int, low: Double, high: Double) {
    record.reason = "kink: one-sided derivatives from \(low) to \(high)"
    if record.analytic < low - record.bound || record.analytic > high + record.bound {
      record.verdict = .fail
      return
    }
    guard let derivative = convention?.elements[element], case .smooth = derivative.kind else { return }
    record.numeric = derivative.value
    record.difference = record.analytic - derivative.value
    if abs(record.difference) > derivative.bound + record.analyticRounding {
      record.verdict = .fail
      record.reason = "at a kink: between the one-sided derivatives, but not the documented convention"
    }
  }

  /// The whole tensor.
  func judge(_ numeric: NumericGradient) -> GradientTensorRecord {
    var record = GradientTensorRecord(
      tensor: operand, shape: shape.dimensions, method: method, elementCount: analytic.count)
    let scales = numeric.elements.compactMap { $0?.scale }.filter(\.isFinite)
    let typical =
      scales.isEmpty ? 0 : (scales.reduce(0) { $0 + $1 * $1 } / Double(scales.count)).squareRoot()
    var resolutions: [Double] = []
    var failed: [Int] = []
    for (element, derivative) in numeric.elements.enumerated() {
      guard let derivative else { continue }
      let judged = verdict(element, derivative, typicalScale: typical)
      if case .kink = derivative.kind { record.kinkCount += 1 }
      if case .smooth = derivative.kind, max(derivative.scale, typical) > 0 {
        resolutions.append(derivative.bound / max(derivative.scale, typical))
      }
      record.note(judged)
      if judged.verdict == .fail { failed.append(element) }
    }
    resolutions.sort()
    record.worstResolution = resolutions.last ?? 0
    record.medianResolution = resolutions.isEmpty ? 0 : resolutions[resolutions.count / 2]
    if !failed.isEmpty {
      let pattern = BadIndexPattern(
        shape: shape, bad: failed, analytic: analytic, numeric: numeric.elements.map { $0?.value })
      record.pattern = pattern.description
      record.hint = pattern.hint
    }
    if let violation = numeric.localityViolation {
      record.verdict = .fail
      record.reason = violation
    }
    return record
  }
}

extension GradientTensorRecord {
  /// Counts one element's verdict in.
  mutating func note(_ element: GradientElementRecord) {
    if element.verdict == .fail { failedCount += 1 }
    if element.verdict == .inconclusive { inconclusiveCount += 1 }
    if element.verdict != .pass, badElements.count < Self.badElementLimit { badElements.append(element) }
    verdict = GradientVerdict.worse(verdict, element.verdict)
    guard element.verdict != .inconclusive, element.difference.isFinite else { return }
    let difference = abs(element.difference)
    let ratio = difference == 0 ? 0 : difference / element.bound
    if worstElement == nil || ratio > worstRatio {
      worstRatio = max(worstRatio, ratio)
      worstElement = element
    }
  }
}
