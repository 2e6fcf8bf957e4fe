import Problems
import Foundation

/// Mean and variance of one slice and how far a correct implementation may be off.
///
/// - μ: a sum of M over M: `γ_{M+1}·Σ|x|/M`; statistically `λ·u·√M·sqrt(max(Σx², S²))/M + u·|μ|`.
/// - σ²: two passes are off by `γ_{M+4}·σ²` and by δμ² (the term linear in δμ vanishes, since Σ(x − μ) = 0); Welford's update by
///   `M·κ·u·σ²`, κ = sqrt(1 + μ²/σ²) (Chan, Golub and LeVeque 1983). Both are correct ways; `E[x²] − E[x]²`, off by κ²·u·σ², is not.
/// - 1/√(σ² + ε): from the ends of σ²'s interval, and four roundings (ε's own, sum, root, reciprocal).
struct SliceStatistics {
  struct Uncertainty {
    var mean: Double
    var variance: Double
    /// Relative, of 1/√(σ² + ε).
    var scale: Double
  }

  let count: Int
  let mean: Double
  let variance: Double
  let scale: Double
  let rigorous: Uncertainty
  let statistical: Uncertainty

  /// Statistics of the slice itself.
  init(_ x: [Double], eps: Double, _ rounding: Rounding) {
    let u = rounding.unit
    count = x.count
    let size = Double(count)
    let sum = x.reduce(0, +)
    let mean = sum / size
    self.mean = mean
    variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / size
    let deviation = variance.squareRoot()
    let root = (variance + mean * mean).squareRoot()
    let magnitude = x.reduce(0) { $0 + abs($1) }
    let squares = x.reduce(0) { $0 + $1 * $1 }
    let meanRigorous = rounding.gamma(count + 1) * magnitude / size + 2 * rounding.underflow
    let meanStatistical =
      ElementBounds.lambda * u * (size * max(squares, sum * sum)).squareRoot() / size + u * abs(mean)
      + 2 * rounding.underflow
    rigorous = Uncertainty(
      mean: meanRigorous,
      variance: rounding.gamma(count + 4) * deviation * root + meanRigorous * meanRigorous + 2 * rounding.underflow,
      scale: 0
    ).completed(variance, eps, rounding)
    statistical = Uncertainty(
      mean: meanStatistical,
      variance: ElementBounds.lambda * u
        * (size * variance * variance + deviation * root * deviation * root).squareRoot()
        + meanStatistical * meanStatistical + 2 * rounding.underflow,
      scale: 0
    ).completed(variance, eps, rounding)
    scale = 1 / (variance + eps).squareRoot()
  }

  /// Statistics that are given and free of error, such as running ones.
  init(mean: Double, variance: Double, eps: Double, count: Int, _ rounding: Rounding) {
    self.count = count
    self.mean = mean
    self.variance = variance
    scale = 1 / (variance + eps).squareRoot()
    rigorous = Uncertainty(mean: 0, variance: 0, scale: 4 * rounding.unit)
    statistical = rigorous
  }
}

extension SliceStatistics.Uncertainty {
  fileprivate func completed(_ value: Double, _ eps: Double, _ rounding: Rounding) -> Self {
    let middle = value + eps
    let widest = (middle / (max(value - variance, 0) + eps)).squareRoot() - 1
    let narrowest = 1 - (middle / (middle + variance)).squareRoot()
    var result = self
    result.scale = (widest.isNaN || narrowest.isNaN ? .nan : max(widest, narrowest)) + 4 * rounding.unit
    return result
  }
}
