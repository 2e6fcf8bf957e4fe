/// An exact fraction in lowest terms, as the generation of Winograd's matrices needs it.
///
/// Arithmetic that does not fit (or a division by zero) gives ``undefined``, which propagates and equals nothing, so that
/// one check at the end of a computation finds it.
public struct Rational: Sendable {
  /// Carries the sign.
  public let numerator: Int128
  /// Positive; 0 for ``undefined``.
  public let denominator: Int128

  public static let zero = Rational(0)
  public static let one = Rational(1)
  public static let undefined = Rational(lowestTerms: 0, 0)

  public init(_ integer: Int) { self.init(lowestTerms: Int128(integer), 1) }

  /// `numerator / denominator`; ``undefined`` for a denominator of 0.
  public init(_ numerator: Int, _ denominator: Int) {
    self.init(reducing: Int128(numerator), Int128(denominator))
  }

  private init(lowestTerms numerator: Int128, _ denominator: Int128) {
    self.numerator = numerator
    self.denominator = denominator
  }

  private init(reducing numerator: Int128, _ denominator: Int128) {
    guard denominator != 0, numerator != .min, denominator != .min else {
      self = .undefined
      return
    }
    let divisor = Self.greatestCommonDivisor(numerator.magnitude, denominator.magnitude)
    let sign: Int128 = denominator < 0 ? -1 : 1
    self.init(lowestTerms: sign * numerator / Int128(divisor), sign * denominator / Int128(divisor))
  }

  public var isDefined: Bool { denominator != 0 }
  public var magnitude: Rational { Rational(lowestTerms: abs(numerator), denominator) }

  /// Correctly rounded where numerator and denominator have at most 53 bits, else within two roundings more; NaN if undefined.
  public var doubleValue: Double { Double(numerator) / Double(denominator) }

  /// True where a `Float` holds the value exactly.
  public var isExactFloat: Bool {
    guard isDefined, denominator & (denominator - 1) == 0, denominator <= Int128(1) << 100 else { return false }
    return (numerator.magnitude >> numerator.magnitude.trailingZeroBitCount) < (1 << 24)
  }

  private static func greatestCommonDivisor(_ a: UInt128, _ b: UInt128) -> UInt128 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return max(a, 1)
  }
}

extension Rational: Equatable {
  public static func == (a: Rational, b: Rational) -> Bool {
    a.isDefined && a.numerator == b.numerator && a.denominator == b.denominator
  }
}

extension Rational {
  public static func + (a: Rational, b: Rational) -> Rational {
    let (left, overflowLeft) = a.numerator.multipliedReportingOverflow(by: b.denominator)
    let (right, overflowRight) = b.numerator.multipliedReportingOverflow(by: a.denominator)
    let (sum, overflowSum) = left.addingReportingOverflow(right)
    let (denominator, overflowDenominator) = a.denominator.multipliedReportingOverflow(by: b.denominator)
    if overflowLeft || overflowRight || overflowSum || overflowDenominator { return .undefined }
    return Rational(reducing: sum, denominator)
  }

  public static func * (a: Rational, b: Rational) -> Rational {
    let (numerator, overflow) = a.numerator.multipliedReportingOverflow(by: b.numerator)
    let (denominator, overflowDenominator) = a.denominator.multipliedReportingOverflow(by: b.denominator)
    return overflow || overflowDenominator ? .undefined : Rational(reducing: numerator, denominator)
  }

  public static func / (a: Rational, b: Rational) -> Rational {
    b.isDefined ? a * Rational(reducing: b.denominator, b.numerator) : .undefined
  }

  public static prefix func - (a: Rational) -> Rational { Rational(lowestTerms: -a.numerator, a.denominator) }
  public static func - (a: Rational, b: Rational) -> Rational { a + -b }
}

extension Rational: CustomStringConvertible {
  public var description: String {
    guard isDefined else { return "undefined" }
    return denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)"
  }
}
