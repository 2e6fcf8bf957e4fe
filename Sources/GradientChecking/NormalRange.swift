import Tensors

/// How near the values of a backward pass are to the ends of the numbers of its arithmetic.
///
/// Doubling a cotangent doubles every intermediate result of a backward pass, and its rounding too, as long as none of
/// them is denormal or overflows: only then are two results that must be proportional so bit for bit.
///
/// An intermediate result is a product of a cotangent with an operand, a sum of such, or a value that shows in the outputs
/// or gradients (an exponential). Each may lose digits to cancellation, in two sums one inside the other where an
/// algorithm transforms its operands, and what is left then is at least u² of what was there. So the ends are kept away
/// from by u⁻² below, and above by u⁻¹ for sums and transforms.
struct NormalRange: Sendable {
  /// The least normal number, and the largest finite one.
  private let least: Double
  private let largest: Double
  private let unitRoundoff: Double

  init(unitRoundoff: Double) {
    let isSingle = unitRoundoff > Double.unitRoundoff
    least = isSingle ? Double(Float.leastNormalMagnitude) : .leastNormalMagnitude
    largest = isSingle ? Double(Float.greatestFiniteMagnitude) : .greatestFiniteMagnitude
    self.unitRoundoff = unitRoundoff
  }

  /// Whether a result of this magnitude may be infinite in a correct implementation.
  func mayOverflow(_ magnitude: Double) -> Bool { !(magnitude < largest) }

  /// Of the values of one backward pass.
  struct Distance: Sendable, Hashable {
    var mayUnderflow = false
    var mayOverflow = false
    /// Every intermediate result is a normal number or an exact zero.
    var isCalm: Bool { !mayUnderflow && !mayOverflow }
  }

  /// - Parameters:
  ///   - results: outputs and gradients.
  func distance(operands: NamedTensors, cotangent: [Double], results: [[Double]]) -> Distance {
    let floor = least / (unitRoundoff * unitRoundoff)
    let ceiling = largest * unitRoundoff
    var distance = Distance()
    let cotangents = Extremes(cotangent)
    for tensor in operands.values {
      let values = Extremes(tensor.elements)
      // Exponents, since the products themselves may underflow or overflow.
      if values.least.exponent + cotangents.least.exponent < floor.exponent { distance.mayUnderflow = true }
      let terms = Double(max(cotangent.count, 1))
      if values.largest.exponent + cotangents.largest.exponent + terms.exponent >= ceiling.exponent {
        distance.mayOverflow = true
      }
    }
    for values in results.map(Extremes.init) + [cotangents] {
      if values.least < floor { distance.mayUnderflow = true }
      if !(values.largest < ceiling) { distance.mayOverflow = true }
    }
    return distance
  }

  /// Of the magnitudes of the values that are not zero; 1 where there are none. A NaN makes the largest one.
  private struct Extremes {
    var least = Double.infinity
    var largest = 0.0

    init(_ values: [Double]) {
      for value in values where value != 0 {
        least = min(least, abs(value))
        largest = value.isNaN ? .nan : max(largest, abs(value))
      }
      if largest == 0 { (least, largest) = (1, 1) }
    }
  }
}
