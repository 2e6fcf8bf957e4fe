import Foundation
import Tensors

/// Operands that show what independent random values hide: kernels that skip, flush, clamp or overflow.
///
/// The idea is the TOSA specification's (appendix A, "Dot product floating-point test data sets"), whose sets are vectors of a
/// dot product; here they are whole operands, for both passes. Such data round systematically: the rigorous bound alone holds.
///
/// Each is a function of one uniform number an element, so that whoever draws numbers can draw these:
/// ``values(_:of:terms:)``. All are representable in float32.
public enum OperandPattern: String, Sendable, Hashable, CaseIterable, Codable {
  /// Half of the values are exactly 0, the others from ½ to 1 with either sign: what a kernel that skips zeros leaves out beside
  /// them shows.
  case zerosMixedIn = "zeros mixed in"
  /// Positive values from ¾·M to M, as large as ``largestValue(terms:)`` allows: what grows on its way to a result that is
  /// finite overflows.
  case largeExponents = "large exponents"
  /// Positive values of one scale, of which weights and cotangents but for the first of each sum are ``smallScale`` times as
  /// large: K of them are a share of K·2⁻²¹ of the sum, where a correct sum may lose K·2⁻²⁴.
  case smallOntoLarge = "small onto large"
  /// Signed values whose exponents are uniform from −14 to 14, those of float16's normal numbers: what is flushed, or shares
  /// an exponent with its neighbours, meets factors that make it large again.
  case wideRange = "wide range"

  /// What an operand is to the passes.
  public enum Part: Sendable, Hashable, CaseIterable {
    case input, parameter, cotangent
  }

  /// Of what is small in ``smallOntoLarge``: eight times what the rigorous bound allows for each term, u = 2⁻²⁴.
  public static let smallScale = 0x1p-21

  private static let largestExponent = 14

  /// M, the largest magnitude of ``largeExponents`` in sums of so many products: the largest power of two with K·M² ≤ 2¹¹⁶.
  ///
  /// A sum then stays 2¹² below float32's overflow at 2¹²⁸, which correct algorithms need. What stands between operands and
  /// outputs of F(6×6) over the usual points (0, ±1, ±2, ±½) is at most max(|Aᵀ|(|G|1 ∘ |Bᵀ|1))² = 67.7² = 4579 times M² for each
  /// channel, which has nine of the K terms: 2⁹·K·M². For the weight's gradient it is 98² = 9604, for 36 of its terms.
  /// Strassen's algorithm multiplies magnitudes by 12 at most for each of two levels.
  ///
  /// TOSA's set goes to overflow itself, since a dot product has no such intermediates.
  /// - Parameter terms: K, of the longest sum.
  public static func largestValue(terms: Int) -> Double {
    let exponent = Int((log2(Double(max(terms, 1)))).rounded(.up))
    return Double(sign: .plus, exponent: (116 - exponent) / 2, significand: 1)
  }

  /// Whether operands of a role may have other values: a variance, an index or probabilities may not.
  /// - Parameter role: what an operand means.
  public static func applies(to role: OperandRole) -> Bool {
    switch role {
    case .values, .weight: true
    case .gain, .positive, .mean, .variance, .probabilities, .indices, .counter: false
    }
  }

  /// The values of one operand.
  /// - Parameters:
  ///   - draws: uniform numbers from −1 to 1, in steps of 2⁻²³ or coarser.
  ///   - part: what the operand is.
  ///   - terms: products in the longest sum, ``OperationProblem/longestSum``.
  public func values(_ draws: Tensor<Double>, of part: Part, terms: Int) -> Tensor<Double> {
    switch self {
    case .zerosMixedIn:
      return draws.map { abs($0) < 0.5 ? 0 : $0 }
    case .largeExponents:
      let largest = Self.largestValue(terms: terms)
      return draws.map { largest * Double(Float(0.75 + 0.25 * Self.fraction($0))) }
    case .smallOntoLarge:
      return draws.indexed { index, draw in
        (1 + Self.fraction(draw)) * (part.isLeading(index) ? 1 : Self.smallScale)
      }
    case .wideRange:
      return draws.map(Self.spread)
    }
  }

  /// |draw|, below 1.
  private static func fraction(_ draw: Double) -> Double { min(abs(draw), 1 - 0x1p-23) }

  /// The whole part of 29·|draw| is the exponent, the rest the fraction of the significand.
  private static func spread(_ draw: Double) -> Double {
    let scaled = Double(2 * largestExponent + 1) * fraction(draw)
    let whole = scaled.rounded(.down)
    let magnitude = Double(
      sign: .plus, exponent: Int(whole) - largestExponent, significand: 1 + (scaled - whole))
    return draw < 0 ? -magnitude : magnitude
  }
}

extension OperandPattern.Part {
  /// Whether an element begins a sum, in whichever order weights have their first two axes.
  ///
  /// - A weight (K, C, R, S), (C, K, R, S) or (K, C): the first tap between the first channel of one side and any of the other.
  ///   Sums over either side begin with it. A vector is a bias, one term.
  /// - A cotangent (N, K, P, Q): the first position of the first image, with which each channel's sum over positions begins.
  /// - Inputs are all of one scale.
  fileprivate func isLeading(_ index: [Int]) -> Bool {
    switch self {
    case .input: true
    case .parameter: index.count < 2 || (index[0] == 0 || index[1] == 0) && index.dropFirst(2).allSatisfy { $0 == 0 }
    case .cotangent: index.indices.allSatisfy { $0 == 1 || index[$0] == 0 }
    }
  }
}

extension OperationProblem {
  /// Products in the longest of the sums that its passes make: each pass has as many multiplications, and shares them among its
  /// results. 1 where the operation is not made of products.
  public var longestSum: Int {
    let results = outputs.merging(operands.all) { output, _ in output }.values
    let fewest = results.lazy.filter { $0.shape.rank > 1 && $0.shape.count > 0 }.map(\.shape.count).min() ?? 1
    return max(multiplyAccumulates / fewest, 1)
  }
}
