import RealModule

/// A binary floating-point format as IEEE 754 builds them: a sign, a biased exponent, a fraction; subnormals, infinities and NaNs.
///
/// Conversions are our own, since Swift's `Float16` does not exist on every machine and bfloat16 on none.
public struct FloatFormat: Hashable, Sendable {
  public let exponentBits: Int
  public let fractionBits: Int

  public static let binary64 = FloatFormat(exponentBits: 11, fractionBits: 52)
  public static let binary32 = FloatFormat(exponentBits: 8, fractionBits: 23)
  public static let binary16 = FloatFormat(exponentBits: 5, fractionBits: 10)
  /// Brain floating point: float32's upper half.
  public static let bfloat16 = FloatFormat(exponentBits: 8, fractionBits: 7)

  public var bitCount: Int { 1 + exponentBits + fractionBits }
  /// Of the smallest normal number, 2^leastExponent.
  public var leastExponent: Int { 2 - (1 << (exponentBits - 1)) }
  /// Of the largest finite number.
  public var greatestExponent: Int { (1 << (exponentBits - 1)) - 1 }

  /// u: half the distance from 1 to the next larger value.
  public var unitRoundoff: Double { .power(-fractionBits - 1) }
  public var leastNormal: Double { .power(leastExponent) }
  /// The smallest positive value.
  public var leastSubnormal: Double { .power(leastExponent - fractionBits) }
  /// The largest finite value.
  public var greatest: Double { .power(greatestExponent) * (2 - .power(-fractionBits)) }
  /// The least number that rounds to infinity: halfway from ``greatest`` to what would follow it. Infinite in float64.
  public var overflowThreshold: Double { .power(greatestExponent) * (2 - .power(-fractionBits - 1)) }

  /// The distance between neighbours at a value.
  public func spacing(at value: Double) -> Double {
    guard value.isFinite else { return .nan }
    let exponent = value.isZero ? leastExponent : max(Int(value.exponent), leastExponent)
    return .power(exponent - fractionBits)
  }

  /// The nearest value, ties to even; infinity from ``overflowThreshold`` on.
  /// - Precondition: at most float64's exponents and fraction.
  public func rounded(_ value: Double) -> Double {
    guard value.isFinite, !value.isZero, self != .binary64 else { return value }
    let unit = spacing(at: value)
    // Both steps are exact: a power of two, and no more bits than a double's.
    let rounded = (value / unit).rounded(.toNearestOrEven) * unit
    return abs(rounded) > greatest ? (value < 0 ? -.infinity : .infinity) : rounded
  }

  /// The bits of the nearest value. NaN becomes the quiet NaN of the same sign.
  /// - Requires: at most 32 bits.
  public func pattern(_ value: Double) -> UInt32 {
    let sign: UInt32 = value.sign == .minus ? 1 << (bitCount - 1) : 0
    let infinity = ((1 << exponentBits) - 1 as UInt32) << fractionBits
    if value.isNaN { return sign | infinity | 1 << (fractionBits - 1) }
    let rounded = abs(rounded(value))
    if rounded.isInfinite { return sign | infinity }
    let isNormal = rounded >= leastNormal
    let exponent = isNormal ? Int(rounded.exponent) : leastExponent
    let significand = UInt32(rounded / .power(exponent - fractionBits))
    guard isNormal else { return sign | significand }
    let biased = UInt32(exponent - leastExponent + 1)
    return sign | biased << fractionBits | significand & ((1 << fractionBits) - 1)
  }

  /// The value of a pattern; exact.
  /// - Requires: at most 32 bits.
  public func value(_ pattern: UInt32) -> Double {
    let isNegative = pattern >> (bitCount - 1) & 1 == 1
    let biased = Int(pattern >> fractionBits & ((1 << exponentBits) - 1))
    let fraction = pattern & ((1 << fractionBits) - 1)
    let magnitude: Double
    if biased == (1 << exponentBits) - 1 {
      magnitude = fraction == 0 ? .infinity : .nan
    } else {
      let significand = Double(biased == 0 ? fraction : fraction | 1 << fractionBits)
      magnitude = significand * .power(max(biased, 1) - 1 + leastExponent - fractionBits)
    }
    return isNegative ? -magnitude : magnitude
  }

  /// A quiet NaN with a payload that no arithmetic produces.
  public var unwrittenPattern: UInt32 {
    let payload = 0x5A5A & ((1 << (fractionBits - 1)) - 1) as UInt32
    return ((1 << exponentBits) - 1) << fractionBits | 1 << (fractionBits - 1) | payload
  }
}

extension Double {
  /// 2^exponent.
  fileprivate static func power(_ exponent: Int) -> Double {
    // Above and below a double's range the general initialiser gives what the formats' formulas need. Within it the bits are the
    // exponent's alone, and much cheaper: a spacing is asked for at every element.
    let least = Int(leastNormalMagnitude.exponent)
    guard least <= exponent, exponent <= greatestFiniteMagnitude.exponent else {
      return Double(sign: .plus, exponent: exponent, significand: 1)
    }
    return Double(sign: .plus, exponentBitPattern: UInt(exponent - least + 1), significandBitPattern: 0)
  }
}
