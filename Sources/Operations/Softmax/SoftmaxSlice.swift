import Problems
import Foundation

/// Rounding errors of softmax and log-softmax along one slice x₁…x_C, by running error analysis.
///
/// With d_j = max x − x_j, e_j = exp(−d_j), S = Σe_j, to first order in u:
/// - e_j is off by a relative `r_j = u·d_j + 4u` (the difference's rounding enters the exponent absolutely; a library's exp is
///   within four units);
/// - S by `Σ(e_j/S)·r_j + C·u` (all terms positive; any order);
/// - softmax by `r_i + that + u`; log-softmax absolutely by `u·d_i + that + 4u·|log S| + u·|y|`. (x − logsumexp, off by u·|logsumexp|, is
///   not among the ways allowed: at logits of 10⁴ it loses half the digits.)
///
/// The statistical forms take the same parts as independent: root of the sum of squares, √C for C.
struct SoftmaxSlice {
  /// One bound of either kind.
  struct Pair {
    var statistical: Double
    var rigorous: Double
  }

  let probabilities: [Double]
  let logProbabilities: [Double]
  /// Relative errors of the probabilities.
  let relative: [Pair]
  /// Absolute errors of their logarithms.
  let absolute: [Pair]

  init(_ x: [Double], _ rounding: Rounding) {
    let u = rounding.unit
    let lambda = ElementBounds.lambda
    let greatest = x.contains(where: \.isNaN) ? .nan : (x.max() ?? 0)
    let distances = x.map { greatest - $0 }
    let exponentials = distances.map { exp(-$0) }
    let sum = exponentials.reduce(0, +)
    let logSum = log(sum)
    var (shared, sharedSquares) = (rounding.gamma(x.count), Double(x.count) * u * u)
    for (distance, exponential) in zip(distances, exponentials) where exponential != 0 {
      let part = exponential / sum * (u * distance + 4 * u)
      shared += part
      sharedSquares += part * part
    }
    probabilities = exponentials.map { $0 / sum }
    logProbabilities = distances.map { -$0 - logSum }
    absolute = distances.map { distance in
      let value = abs(distance + logSum)
      let rigorous = u * distance + shared / (1 - shared) + 4 * u * abs(logSum) + u * value
      let squares =
        u * u * (distance * distance + 16 * logSum * logSum + value * value) + sharedSquares
      return Pair(statistical: lambda * squares.squareRoot(), rigorous: rigorous)
    }
    relative = distances.map { distance in
      // Where the exponential vanishes, its relative error is of no interest and could be infinite.
      guard distance < 800 else {
        return Pair(statistical: distance.isNaN ? .nan : 0, rigorous: distance.isNaN ? .nan : 0)
      }
      let own = u * distance + 4 * u
      let rigorous = own + shared + u
      return Pair(
        statistical: lambda * (own * own + sharedSquares + u * u).squareRoot(), rigorous: rigorous / (1 - rigorous))
    }
  }

  /// Relative errors of probabilities computed either directly or as exp(log-softmax), whichever is worse.
  /// - Parameter stored: the type of 16 bits that a forward pass keeps its result in for its backward pass, where it is one:
  ///   a probability is then off by a rounding more, and exp of a logarithm by that of the logarithm.
  func relativeEitherWay(_ rounding: Rounding, stored: Rounding? = nil) -> [Pair] {
    zip(relative, absolute).enumerated().map { index, pair in
      let (probability, logarithm) = (probabilities[index], abs(logProbabilities[index]))
      guard probability != 0 else { return pair.0 }
      let ofProbability = stored.map { $0.unit + $0.underflow / probability } ?? 0
      let ofLogarithm = stored.map { $0.unit * logarithm + $0.underflow } ?? 0
      let direct = Pair(
        statistical: pair.0.statistical + ofProbability, rigorous: pair.0.rigorous + ofProbability)
      return Pair(
        statistical: max(direct.statistical, exp(pair.1.statistical + ofLogarithm) - 1 + 4 * rounding.unit),
        rigorous: max(direct.rigorous, exp(pair.1.rigorous + ofLogarithm) - 1 + 4 * rounding.unit))
    }
  }
}
