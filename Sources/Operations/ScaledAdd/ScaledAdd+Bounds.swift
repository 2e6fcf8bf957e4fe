import Problems
import Tensors

extension ScaledAdd {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { ScaledAddBounds(problem, given) }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }

  /// Whether α has so few digits that it is known exactly and a product with it rounds nothing: a multiple of 2⁻¹⁰ up to 2¹⁰.
  var hasShortFactor: Bool {
    let units = problem.alpha * 0x1p10
    return units == units.rounded() && abs(units) <= 0x1p20
  }
}

/// x + α·other and the gradient α·dy, by running error analysis: α, the product and the sum are rounded once each.
///
///     δα = ρ(|α|)      δp = |other|·δα + ρ(|α·other| + |other|·δα)      δy = δp + u·(|y| + δp)
///
/// ρ(t) = max(u·t, η) is what rounding a result of size t may cost, 0 where t is 0. Addition is exact where it underflows. An
/// implementation with a fused multiply-add rounds once less; one of 16 bits may round α to the type of its operands.
struct ScaledAddBounds: BoundModel {
  private let factor: Double
  /// How far α moves when it is rounded to 16 bits.
  private let narrowing: Double
  private let x: [Double]
  private let other: [Double]
  private let dy: [Double]?
  private let factorIsShort: Bool

  init(_ problem: ScaledAddProblem, _ given: Given<Double>) {
    factor = problem.alpha
    let moved = given.storage.isNarrow ? abs((given.storage.format?.rounded(factor) ?? factor) - factor) : 0
    // An α beyond the type can only be kept in float32.
    narrowing = moved.isFinite ? moved : 0
    factorIsShort = ScaledAdd(problem).hasShortFactor && narrowing == 0
    (x, other, dy) = (given["x"].elements, given["other"].elements, given.upstream["y"]?.elements)
  }

  func isExact(_ path: String) -> Bool { factorIsShort }

  func spread(of path: String) -> ErrorSpread? { nil }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    case "outputs/y":
      return ElementBounds(
        rigorous: zip(x, other).map { x, other in
          let product = productError(other, rounding)
          return product + rounding.unit * (abs(x + factor * other) + product)
        })
    case "gradients/x": return .none(count: x.count)
    case "gradients/other": return dy.map { dy in ElementBounds(rigorous: dy.map { productError($0, rounding) }) }
    default: return nil
    }
  }

  /// How far the computed α·value may lie from its exact value.
  private func productError(_ value: Double, _ rounding: Rounding) -> Double {
    let inherited = abs(value) * max(Self.error(abs(factor), rounding), narrowing)
    return inherited + Self.error(abs(factor * value) + inherited, rounding)
  }

  private static func error(_ size: Double, _ rounding: Rounding) -> Double {
    size == 0 ? 0 : max(rounding.unit * size, rounding.underflow)
  }
}
