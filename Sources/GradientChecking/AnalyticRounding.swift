import Tensors

/// How far rounding alone may have taken each element of the analytic gradients.
struct AnalyticRounding: Sendable {
  /// By operand; absolute.
  let bounds: [String: [Double]]
  /// Relative to Σ|vᵢ·Jᵢⱼ|, on top: the contraction over the outputs, where no bound of the backward pass is known.
  let relative: Double
  /// Derived from the operation, not measured: what a backward pass at another cotangent may be off by follows from it.
  let isDerived: Bool

  static let safety = 8.0
  static let displacements = 3

  /// For gradients that are compared without rounding.
  static let none = AnalyticRounding(bounds: [:], relative: 0, isDerived: false)

  private init(bounds: [String: [Double]], relative: Double, isDerived: Bool) {
    self.bounds = bounds
    self.relative = relative
    self.isDerived = isDerived
  }

  /// From the operation's own bound where it has one, in any order of evaluation; else measured: the largest change in
  /// three runs whose operands are displaced by one ulp of the backward's arithmetic, eight times over, and a K-term sum
  /// over the outputs.
  /// - Parameters:
  ///   - evaluator: the function.
  ///   - cotangent: of its outputs.
  ///   - gradients: the analytic ones under it.
  ///   - displacements: runs that are measured.
  init(
    evaluator: Evaluator, cotangent: [Double], gradients: NamedTensors, displacements: Int = Self.displacements
  ) throws {
    if let derived = Self.derived(evaluator, cotangent) {
      self.init(bounds: derived, relative: 0, isDerived: true)
      return
    }
    let function = evaluator.function
    let measured = function.stored?.origin
    let upstream = evaluator.layout.unflatten(cotangent)
    let gradients =
      try measured.map { backward in try Evaluator.attempt { try backward(function.point, upstream) } }
      ?? gradients
    var spread = gradients.mapValues { [Double](repeating: 0, count: $0.count) }
    for number in 0..<displacements {
      let point = function.point.mapValues { tensor in
        tensor.map {
          Self.displaced($0, unitRoundoff: function.implementation.unitRoundoff, seed: UInt64(number))
        }
      }
      let found =
        try measured.map { backward in try Evaluator.attempt { try backward(point, upstream) } }
        ?? evaluator.backward(point, cotangent)
      for (name, gradient) in found {
        guard let reference = gradients[name], let largest = spread[name] else { continue }
        spread[name] = largest.indices.map { element in
          max(largest[element], abs(gradient.elements[element] - reference.elements[element]))
        }
      }
    }
    self.init(
      bounds: spread.mapValues { $0.map { Self.safety * $0 } },
      relative: Double(evaluator.layout.count + 8) * function.implementation.unitRoundoff, isDerived: false)
  }

  /// - Returns: `nil` where the operation has no bound, or none that is finite (logits of 3e38 overflow on the way).
  private static func derived(_ evaluator: Evaluator, _ cotangent: [Double]) -> [String: [Double]]? {
    let function = evaluator.function
    let found = function.subject.roundingBounds(
      at: function.point, upstream: evaluator.layout.unflatten(cotangent), of: function.checked,
      by: function.implementation)
    guard let found else { return nil }
    let bounds = found.mapValues { function.hasIndependentOperands ? $0.tightest : $0.rigorous }
    let isWhole = function.checked.allSatisfy { bounds[$0]?.count == function.point[$0]?.count }
    return isWhole && bounds.values.allSatisfy { $0.allSatisfy(\.isFinite) } ? bounds : nil
  }

  private static func displaced(_ value: Double, unitRoundoff: Double, seed: UInt64) -> Double {
    guard unitRoundoff > Double.unitRoundoff else { return DualSweep.displaced(value, seed: seed) }
    return Double(
      Float(value) + (DualSweep.displaced(value, seed: seed) > value ? Float(value).ulp : 0))
  }

  func bound(_ operand: String, element: Int, scale: Double) -> Double {
    (bounds[operand]?[element] ?? 0) + relative * scale
  }
}
