import Problems
import Tensors

extension CrossEntropy {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { CrossEntropyBounds(problem, given) }

  public var staysSingle: Set<String> { ["weight", "loss"] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "it is not a layer of a network")
  }
}

/// Cross-entropy as `loss = Σ_n Σ_c a_nc·(−log p_nc) / W` with coefficients a ≥ 0 from targets, smoothing and class weights, W the sum
/// of the targets' weights (mean), 1 (sum, none) or N (mean of probability targets); `dx_nc = g_n·(A_n·p_nc − a_nc)/W`, `A_n = Σ_c a_nc`.
///
/// - loss: each row's `Σ a·δ(log p) + γ_{C+6}·Σ|a·log p|` (``SoftmaxSlice``), then a sum of N rows and a division by W, which is
///   itself a sum of N.
/// - dx: `|g|/W·(A·p·(ρ + γ_{C+w+8}) + a·γ_{w+8})`, w the roundings behind W (N + 1 in a mean over class indices).
///
/// Statistically, rows are independent, the classes within a row are not (they share log S).
struct CrossEntropyBounds: BoundModel {
  private let problem: CrossEntropyProblem
  private let x: [Double]
  private let coefficients: [Double]
  private let upstream: [Double]?
  private let divisor: Double
  /// Roundings behind the divisor.
  private let divisorTerms: Int

  init(_ problem: CrossEntropyProblem, _ given: Given<Double>) {
    self.problem = problem
    x = given["x"].elements
    upstream = given.upstream["loss"]?.elements
    let (batch, classes) = (problem.batch, problem.classes)
    let weight = given.operands["weight"]?.elements ?? Array(repeating: 1, count: classes)
    let probabilities = given.operands["target"]?.elements ?? []
    let indices = given.integers["target"]?.elements ?? []
    let smoothing = problem.labelSmoothing
    var coefficients = [Double](repeating: 0, count: batch * classes)
    var weightSum = 0.0
    for n in 0..<batch {
      if problem.hasProbabilityTargets {
        for c in 0..<classes {
          let probability = probabilities[n * classes + c] * (1 - smoothing) + smoothing / Double(classes)
          coefficients[n * classes + c] = weight[c] * probability
        }
        continue
      }
      let index = Int(indices[n])
      guard index != problem.ignoreIndex, weight.indices.contains(index) else { continue }
      weightSum += weight[index]
      for c in 0..<classes { coefficients[n * classes + c] = smoothing / Double(classes) * weight[c] }
      coefficients[n * classes + index] += (1 - smoothing) * weight[index]
    }
    self.coefficients = coefficients
    switch problem.reduction {
    case .mean:
      divisor = problem.hasProbabilityTargets ? Double(batch) : weightSum
      divisorTerms = problem.hasProbabilityTargets ? 1 : batch + 1
    case .sum, .none:
      divisor = 1
      divisorTerms = 0
    }
  }

  func isExact(_ path: String) -> Bool { false }

  /// A row has the sum of its powers of e in common, a batch the divisor: nothing is independent.
  func spread(of path: String) -> ErrorSpread? { nil }

  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    case "outputs/loss": loss(rounding)
    case "gradients/x": upstream.map { gradient($0, rounding) }
    default: nil
    }
  }

  private func row(_ n: Int) -> Range<Int> { n * problem.classes..<(n + 1) * problem.classes }

  private func loss(_ rounding: Rounding) -> ElementBounds {
    let (u, lambda, classes) = (rounding.unit, ElementBounds.lambda, Double(problem.classes))
    var losses: [Double] = []
    var errors: [SoftmaxSlice.Pair] = []
    for n in 0..<problem.batch {
      let slice = SoftmaxSlice(Array(x[row(n)]), rounding)
      var (total, statistical, rigorous) = (0.0, 0.0, 0.0)
      for (c, a) in coefficients[row(n)].enumerated() where a != 0 {
        total += abs(a * slice.logProbabilities[c])
        statistical += abs(a) * slice.absolute[c].statistical
        rigorous += abs(a) * slice.absolute[c].rigorous
      }
      losses.append(total)
      errors.append(
        .init(
          statistical: statistical + lambda * u * (classes + 6).squareRoot() * total,
          rigorous: rigorous + rounding.gamma(classes + 6) * (total + rigorous)))
    }
    if problem.reduction == .none {
      return ElementBounds(statistical: errors.map(\.statistical), rigorous: errors.map(\.rigorous))
    }
    let total = losses.reduce(0, +)
    let rows = Double(problem.batch + divisorTerms + 2)
    let inherited = errors.reduce(0) { $0 + $1.rigorous }
    let rigorous = inherited + rounding.gamma(rows) * (total + inherited)
    let inheritedSquares = errors.reduce(0) { $0 + $1.statistical * $1.statistical }
    let statistical = inheritedSquares.squareRoot() + lambda * u * rows.squareRoot() * total
    return ElementBounds(statistical: [statistical / abs(divisor)], rigorous: [rigorous / abs(divisor)])
  }

  private func gradient(_ upstream: [Double], _ rounding: Rounding) -> ElementBounds {
    let (u, lambda) = (rounding.unit, ElementBounds.lambda)
    let (many, few) = (Double(problem.classes + divisorTerms + 8), Double(divisorTerms + 8))
    var statistical = [Double](repeating: 0, count: x.count)
    var rigorous = statistical
    for n in 0..<problem.batch {
      let slice = SoftmaxSlice(Array(x[row(n)]), rounding)
      let errors = slice.relativeEitherWay(rounding)
      let sum = coefficients[row(n)].reduce(0) { $0 + abs($1) }
      // A row without weight (ignored) has no gradient, whatever its logits.
      guard sum != 0 else { continue }
      let factor = abs((problem.reduction == .none ? upstream[n] : upstream[0]) / divisor)
      for (c, offset) in row(n).enumerated() {
        let (a, p) = (abs(coefficients[offset]), sum * slice.probabilities[c])
        let underflow = 4 * rounding.underflow * (1 + factor)
        rigorous[offset] =
          factor
          * (p * (errors[c].rigorous + (1 + errors[c].rigorous) * rounding.gamma(many)) + a * rounding.gamma(few))
          + underflow
        statistical[offset] =
          factor
          * (p * (errors[c].statistical + lambda * u * many.squareRoot()) + a * lambda * u * few.squareRoot())
          + underflow
      }
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }
}
