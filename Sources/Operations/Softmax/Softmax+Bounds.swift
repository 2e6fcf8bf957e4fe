import Problems
import Tensors

extension Softmax {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { SoftmaxBounds(given, logarithmic: false) }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

/// Softmax and log-softmax along axis 1 (``SoftmaxSlice``), and their gradients:
///
/// - softmax: `dx_i = y_i·(dy_i − D)`, `D = Σ dy_j·y_j`. D is off by `Σ|dy_j·y_j|·(ρ_j + u) + γ_C·Σ|dy_j·y_j|`, dx by `|dx_i|·(ρ_i + 2u) + y_i·(δD + u·(|dy_i| + |D|))`,
///   ρ being the relative errors of y.
/// - log-softmax: `dx_i = dy_i − y_i·G`, `G = Σ dy_j`, off by `y_i·(γ_C·Σ|dy_j| + |G|·(ρ_i + 2u)) + u·|dx_i|`.
///
/// In 16 bits a backward pass starts from y as it was stored, so that ρ has that rounding, too.
struct SoftmaxBounds: BoundModel {
  private let x: Tensor<Double>
  private let dy: [Double]?
  private let logarithmic: Bool
  /// Of the result that the backward pass may start from, where that is kept in 16 bits.
  private let stored: Rounding?

  init(_ given: Given<Double>, logarithmic: Bool) {
    stored = given.storage.isNarrow ? Rounding(given.storage) : nil
    x = given["x"]
    dy = given.upstream["y"]?.elements
    self.logarithmic = logarithmic
  }

  func isExact(_ path: String) -> Bool { false }

  /// The sum of a slice's powers of e is rounded for all of its classes, which are as good as one.
  func spread(of path: String) -> ErrorSpread? { nil }

  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    guard path == "outputs/y" || (path == "gradients/x" && dy != nil) else { return nil }
    let classes = x.shape[1]
    let inner = x.shape.dimensions.dropFirst(2).reduce(1, *)
    var statistical = [Double](repeating: 0, count: x.count)
    var rigorous = statistical
    for outer in 0..<x.shape[0] {
      for position in 0..<inner {
        let offsets = (0..<classes).map { (outer * classes + $0) * inner + position }
        let slice = SoftmaxSlice(offsets.map { x.elements[$0] }, rounding)
        let gradient = path == "outputs/y" ? nil : dy.map { dy in offsets.map { dy[$0] } }
        let bounds = gradient.map { backward(slice, $0, rounding) } ?? forward(slice, rounding)
        for (offset, bound) in zip(offsets, bounds) {
          statistical[offset] = bound.statistical
          rigorous[offset] = bound.rigorous
        }
      }
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }

  private func forward(_ slice: SoftmaxSlice, _ rounding: Rounding) -> [SoftmaxSlice.Pair] {
    if logarithmic { return slice.absolute }
    // exp, the sum and the division may each underflow; S ≥ 1.
    let underflow = 3 * rounding.underflow
    return zip(slice.probabilities, slice.relative).map { y, error in
      .init(statistical: y * error.statistical + underflow, rigorous: y * error.rigorous + underflow)
    }
  }

  private func backward(_ slice: SoftmaxSlice, _ dy: [Double], _ rounding: Rounding) -> [SoftmaxSlice.Pair] {
    let (u, lambda) = (rounding.unit, ElementBounds.lambda)
    let (y, count) = (slice.probabilities, Double(dy.count))
    let gamma = rounding.gamma(dy.count)
    let errors = slice.relativeEitherWay(rounding, stored: stored)
    if logarithmic {
      let sum = dy.reduce(0, +)
      let magnitude = dy.reduce(0) { $0 + abs($1) }
      let scale = max(dy.reduce(0) { $0 + $1 * $1 }, sum * sum).squareRoot()
      return dy.indices.map { i in
        let result = abs(dy[i] - y[i] * sum)
        let statistical = y[i] * (lambda * u * count.squareRoot() * scale + abs(sum) * (errors[i].statistical + 2 * u))
        let rigorous = y[i] * (gamma * magnitude + abs(sum) * (errors[i].rigorous + 2 * u))
        let rounded = u * result + 3 * rounding.underflow
        return .init(statistical: statistical + rounded, rigorous: (1 + u) * rigorous + rounded)
      }
    }
    var (dot, magnitude, squares, inherited, inheritedSquares) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for j in dy.indices {
      let term = dy[j] * y[j]
      dot += term
      magnitude += abs(term)
      squares += term * term
      inherited += abs(term) * errors[j].rigorous
      inheritedSquares += term * term * errors[j].statistical * errors[j].statistical
    }
    // The error of S is common to all y and does not average out in D: it scales D as a whole.
    let common = abs(dot) * (errors.map(\.statistical).max() ?? 0)
    let dotRigorous = inherited + gamma * (magnitude + inherited)
    let dotStatistical =
      inheritedSquares.squareRoot() + common + lambda * u * (count * max(squares, dot * dot)).squareRoot()
    return dy.indices.map { i in
      let result = y[i] * abs(dy[i] - dot)
      let rounded = u * y[i] * (abs(dy[i]) + abs(dot)) + 3 * rounding.underflow
      return .init(
        statistical: result * (errors[i].statistical + 2 * u) + y[i] * dotStatistical + rounded,
        rigorous: (1 + errors[i].rigorous) * (result * (errors[i].rigorous + 2 * u) + y[i] * dotRigorous + rounded))
    }
  }
}
