import Foundation
import Problems
import Results
import Tensors

/// Judges the errors of a whole tensor: whether they are as large as they may be in the mean, and whether they lean to one side.
///
/// An element's bound leaves λ = 8 standard deviations, so that an engine may cut off instead of rounding, or multiply in fewer bits,
/// and keep every one. Three figures of all elements tell it, with z an error over the standard deviation that an implementation
/// has at most, `σ² = m·((bound/λ)² + the oracle's) + storage`, and Nₑ the number of independent errors:
///
/// - mean z² ≤ `1 + c·√(κ/Nₑ) + ½c²·κ/Nₑ`: with κ = 2 and `x = ½c²` the bound of Laurent and Massart on a χ², exceeded with a
///   probability of at most e^−x;
/// - |mean z| and |mean z·sign(y)| ≤ `drift + c·√(mean z²/Nₑ)`: with Hoeffding's inequality for sums of given magnitudes with random
///   signs, exceeded with a probability of at most 2·e^(−½c²), whatever the errors' distribution is, if only it is symmetric.
///
/// Where one number is added to many elements, as a bias to a channel, their last rounding may leave out the same bits of it for all
/// of them. With h the half spacing at an element over its σ, that error is spread evenly over ±h, as the bits are: a
/// distribution whose tails are within those of a normal one of its own variance ⅓h². So are, of the variance (Σ h/√3)², those of the
/// sum over a group, however its elements depend on each other (by Hölder's inequality for moment generating functions), and
/// groups are independent. Below the second root comes Σ (Σ h/√3)²/N², and since h² may be three times its mean, mean z² may
/// be larger by ⅔·mean h².
///
/// Each of the three is below 10⁻⁹ for ``tail``. Storing a result in 16 bits errs by at most half a spacing, with a variance of a
/// twelfth of its square, or of an eighth where values have a single bit more than the type.
///
/// - Source: the idea, and the statistics of bias and variance, are those of the TOSA conformance suite (its dot-product data
///   sets). Laurent and Massart, *Adaptive estimation of a quadratic functional by model selection*, Ann. Statist. 28 (2000),
///   lemma 1; Hoeffding, *Probability inequalities for sums of bounded random variables*, JASA 58 (1963), theorem 2.
package struct ErrorDistribution: Sendable {
  /// c.
  package static let tail = 6.6
  /// Of fewer elements nothing is said.
  package static let leastElements = 1_000

  /// σ of each element of the whole tensor, row-major; 0 or infinite where nothing is known.
  private let deviations: [Double]
  let spread: ErrorSpread
  /// u of the sums.
  private let unit: Double

  /// - Parameters:
  ///   - own: the statistical bound of the sums in the candidate's precision.
  ///   - oracle: in the oracle's.
  ///   - storage: the type that results are rounded to beside it; `nil` where the sums are in it already.
  ///   - values: the expected values of the whole tensor, where results are stored in 16 bits.
  ///   - rounding: of the sums. Elements whose deviation is a matter of underflow do not count.
  package init(
    own: [Double], oracle: [Double], storage: DType?, values: [Double], spread: ErrorSpread, rounding: Rounding
  ) {
    self.spread = spread
    unit = rounding.unit
    let scale = spread.meanSquare / (ElementBounds.lambda * ElementBounds.lambda)
    let least = 0x1p20 * ElementBounds.lambda * rounding.underflow
    let format = storage?.format
    deviations = own.indices.map { i in
      guard own[i] > least else { return 0 }
      let spacing = format.map { values[i].isFinite ? $0.spacing(at: min(abs(values[i]), $0.greatest)) : .nan } ?? 0
      return (scale * (own[i] * own[i] + oracle[i] * oracle[i]) + spacing * spacing / 8).squareRoot()
    }
  }

  /// z of elements, NaN where one does not count.
  func errors(_ got: [Double], _ expected: [Double], at offsets: [Int]) -> [Double] {
    offsets.enumerated().map { position, offset in
      let (value, deviation) = (got[offset] - expected[position], deviations[offset])
      return value.isFinite && deviation.isFinite && deviation > 0 ? value / deviation : .nan
    }
  }

  func moments(_ got: [Double], _ expected: [Double], at offsets: [Int]) -> ErrorMoments {
    ErrorMoments(
      errors(got, expected, at: offsets), last: lastRoundings(expected, at: offsets), values: expected,
      offsets: offsets, spread: spread)
  }

  /// The standard deviation of each element's last rounding over its own: of errors that are even over ± half a spacing.
  private func lastRoundings(_ expected: [Double], at offsets: [Int]) -> [Double] {
    offsets.enumerated().map { position, offset in
      expected[position] == 0 ? 0 : unit * expected[position].binade / (deviations[offset] * 3.0.squareRoot())
    }
  }

  /// - Parameters:
  ///   - got: the whole tensor's elements.
  ///   - expected: those at `offsets`.
  /// - Returns: `nil` where too few elements count.
  package func judge(_ got: [Double], _ expected: [Double], at offsets: [Int]) -> ErrorDistributionRecord? {
    judge(moments(got, expected, at: offsets))
  }

  func judge(_ moments: ErrorMoments) -> ErrorDistributionRecord? {
    guard moments.count >= Self.leastElements else { return nil }
    let count = Double(moments.count)
    let independent = moments.independent(common: spread.common)
    // Of fewer no mean is beyond what chance allows.
    guard independent > Self.tail * Self.tail else { return nil }
    let meanSquare = moments.squares / count
    let scatter = spread.scatter / independent
    return ErrorDistributionRecord(
      elements: moments.count, independent: independent, meanSquare: meanSquare,
      meanSquareLimit: 1 + 2 * moments.addendSquares / count + Self.tail * scatter.squareRoot()
        + Self.tail * Self.tail * scatter / 2,
      mean: moments.sum / count, signedMean: moments.signed / count,
      meanLimit: spread.drift
        + Self.tail * (meanSquare / independent + moments.addendVariance / (count * count)).squareRoot())
  }
}
