import RealModule

/// What the reference implementations ask of a scalar: field arithmetic, order, and the few functions that the layers
/// use. `Float`, `Double`, `Float80` (x86) and ``Dual`` conform, so one source gives values in every
/// precision and derivatives.
///
/// Arithmetic is never reordered or contracted: results are those of IEEE 754 operations in source order.
public protocol RealScalar: SignedNumeric, Comparable, Sendable {
  init(_ value: Double)
  init(_ value: Int)
  static func / (lhs: Self, rhs: Self) -> Self
  static func /= (lhs: inout Self, rhs: Self)
  func squareRoot() -> Self
  static func exp(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func tanh(_ x: Self) -> Self
  /// The complementary error function, 2/√π·∫ₓ exp(−t²) dt: accurate where it is small, as 1 − erf is not.
  static func erfc(_ x: Self) -> Self
  static var nan: Self { get }
  static var infinity: Self { get }
  var isNaN: Bool { get }
  var isFinite: Bool { get }
  /// The value (without derivatives) rounded to double precision.
  var doubleValue: Double { get }
  /// Unit roundoff u: half the distance from 1 to the next larger value.
  static var unitRoundoff: Double { get }
}

extension Float: RealScalar {
  @inlinable public var doubleValue: Double { Double(self) }
  @inlinable public static var unitRoundoff: Double { 0x1p-24 }
}

extension Double: RealScalar {
  @inlinable public var doubleValue: Double { self }
  @inlinable public static var unitRoundoff: Double { 0x1p-53 }
}

#if arch(x86_64) && !os(Windows)
  extension Float80: RealScalar {
    @inlinable public var doubleValue: Double { Double(self) }
    @inlinable public static var unitRoundoff: Double { 0x1p-64 }
  }
#endif
