import Tensors

/// How far rounding alone may have taken each element of the analytic gradients.
struct AnalyticRounding: Sendable {
  /// By operand; absolute.
  let bounds: [String: [Double]]
  /// Relative to Σ|vᵢ·Jᵢⱼ|, on top: the contraction over the outputs, where no bound of the backward pass is known.
  let relative: Double

  static let safety = 8.0
  static let displacements = 3

  /// For gradients that are compared without rounding.
  static let none = AnalyticRounding(bounds: [:], relative: 0)

  private init(bounds: [String: [Double]], relative: Double) {
    self.bounds = bounds
    self.relative = relative
  }

  /// From the function's own bound where it has one; else measured: the largest change in three runs whose operands are
  /// displaced by one ulp of the backward's arithmetic, eight times over, and a K-term sum over the outputs.
  init(evaluator: Evaluator, cotangent: [Double], gradients: NamedTensors) throws {
    let function = evaluator.function
    if let roundingBounds = function.roundingBounds {
      let found = try Evaluator.attempt {
        try roundingBounds(function.point, evaluator.layout.unflatten(cotangent))
      }
      if found.values.allSatisfy({ $0.elements.allSatisfy(\.isFinite) }) {
        bounds = found.mapValues(\.elements)
        relative = 0
        return
      }
      // Overflow on the way (logits of 3e38) bounds nothing; it is measured then.
    }
    let measured = function.measuredBackward
    let upstream = evaluator.layout.unflatten(cotangent)
    let gradients =
      try measured.map { backward in try Evaluator.attempt { try backward(function.point, upstream) } }
      ?? gradients
    var spread = gradients.mapValues { [Double](repeating: 0, count: $0.count) }
    for number in 0..<Self.displacements {
      let point = function.point.mapValues { tensor in
        tensor.map {
          Self.displaced($0, unitRoundoff: function.backwardUnitRoundoff, seed: UInt64(number))
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
    bounds = spread.mapValues { $0.map { Self.safety * $0 } }
    relative = Double(evaluator.layout.count + 8) * function.backwardUnitRoundoff
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
