import Problems
import Tensors

/// Rounding errors of `y = x·Φ(x)`, where a gate Φ rises from 0 to 1, and of `dx = dy·(Φ + q)`, `q = x·Φ′(x)`:
///
///     |δy|  ≤ |x|·δΦ + u·|y| + (3 + |x|)·η
///     |δdx| ≤ |dy|·(δΦ + δq + 3u·(Φ + |q|)) + (1 + |dy|)·(3 + |x|)·η
///
/// The last product rounds once (halving is exact), in the gradient three roundings are those of the sum and the products; η
/// is what a denormal power of e, x or dy may lose. What a ``SelfGate`` may lose is the operation's to say.
///
/// There is no statistical bound: each element is a few roundings of its own, and nothing averages out.
struct SelfGateBounds: BoundModel {
  private let x: [Double]
  private let dy: [Double]?
  private let gate: @Sendable (_ x: Double, _ unit: Double) -> SelfGate

  init(_ given: Given<Double>, gate: @escaping @Sendable (_ x: Double, _ unit: Double) -> SelfGate) {
    x = given["x"].elements
    dy = given.upstream["y"]?.elements
    self.gate = gate
  }

  func isExact(_ path: String) -> Bool { false }

  func spread(of path: String) -> ErrorSpread? { nil }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    let (unit, underflow) = (rounding.unit, rounding.underflow)
    switch path {
    case "outputs/y":
      return ElementBounds(
        rigorous: x.map { x in
          let gate = gate(x, unit)
          return abs(x) * (gate.valueError + unit * gate.value) + (3 + abs(x)) * underflow
        })
    case "gradients/x":
      guard let dy else { return nil }
      return ElementBounds(
        rigorous: zip(x, dy).map { x, dy in
          let gate = gate(x, unit)
          let derivative = gate.valueError + gate.productError + 3 * unit * (gate.value + abs(gate.product))
          return abs(dy) * derivative + (1 + abs(dy)) * (3 + abs(x)) * underflow
        })
    default: return nil
    }
  }
}

/// A gate Φ and its part q = x·Φ′ of the derivative at one x, with what a usual implementation may lose of either.
///
/// - Φ by way of a function with the limits ±1 (erf, tanh, or a rational function in their place) is off by units of 1, not of Φ: in
///   the negative tail 1 + erf cancels.
/// - Where that function lies within u/8 of its limit every implementation returns the limit, or else the tail itself by a
///   power of e. Either is off by at most the tail: by less than Φ where Φ is small, by less than 1 − Φ where it is
///   large. That also covers powers of e that overflow or are flushed to zero.
struct SelfGate {
  var value: Double
  var valueError: Double
  var product: Double
  var productError: Double

  /// Whether a function is taken for its limit, from its distance to it.
  static func isSaturated(distance: Double, unit: Double) -> Bool { distance < unit / 8 }
}
