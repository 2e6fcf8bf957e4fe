import Problems
import Tensors

extension SiLU {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { SelfGateBounds(given, gate: SelfGate.logistic) }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

extension SelfGate {
  /// σ(x), as `1/(1 + e⁻ˣ)`, `eˣ/(1 + eˣ)` or `½·(1 + tanh(x/2))`, or as a rational function in place of the last.
  ///
  /// By powers of e it is off by `σ(1 − σ)·4u + 2uσ` (a library's exp is within four units), by tanh within eight units by
  /// `4u + uσ`, which is never less. `q = x·σ·(1 − σ)` has the error of σ twice, with the weights 1 − σ and σ, and three roundings.
  static func logistic(_ x: Double, _ unit: Double) -> SelfGate {
    let value = Logistic.value(x)
    let product = x * Logistic.slope(x)
    let tail = Logistic.value(-abs(x))
    let error = isSaturated(distance: 2 * tail, unit: unit) ? tail : (4 + value) * unit
    return SelfGate(
      value: value, valueError: error, product: product, productError: abs(x) * error + 3 * unit * abs(product))
  }
}
