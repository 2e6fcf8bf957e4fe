/// A value and its derivatives along eight directions at once: forward-mode automatic differentiation.
///
///     (a + a′ε)(b + b′ε) = ab + (a′b + ab′)ε,   f(a + a′ε) = f(a) + f′(a)a′ε,   ε² = 0
///
/// Eight because one pass over a layer costs little more than its slowest memory stream, and eight doubles fill one
/// AVX-512 register.
///
/// - Order and equality look at the value alone, so that a branch is taken exactly as the plain scalar takes it: the
///   derivative is then that of the branch taken (at a kink, the documented convention of the layer).
/// - Errors: every tangent is correct to a few units roundoff of the terms that it is a sum of.
/// - Source: Griewank and Walther, *Evaluating Derivatives*, 2nd ed., chapter 3.
public struct Dual<Base: RealScalar & BinaryFloatingPoint & SIMDScalar>: RealScalar where Base.SIMD8Storage: Sendable {
  public var value: Base
  public var tangent: SIMD8<Base>

  /// How many directions one pass carries.
  @inlinable public static var directionCount: Int { 8 }

  @inlinable
  public init(value: Base, tangent: SIMD8<Base>) {
    self.value = value
    self.tangent = tangent
  }

  /// A constant.
  @inlinable
  public init(constant: Base) {
    value = constant
    tangent = .zero
  }

  @inlinable public init(_ value: Double) { self.init(constant: Base(value)) }
  @inlinable public init(_ value: Int) { self.init(constant: Base(value)) }
  @inlinable public init(integerLiteral value: Int) { self.init(constant: Base(value)) }
  @inlinable
  public init?<T: BinaryInteger>(exactly source: T) {
    guard let value = Base(exactly: source) else { return nil }
    self.init(constant: value)
  }

  @inlinable public static var nan: Self { Self(constant: .nan) }
  @inlinable public static var infinity: Self { Self(constant: .infinity) }
  @inlinable public var isNaN: Bool { value.isNaN }
  @inlinable public var isFinite: Bool { value.isFinite }
  @inlinable public var doubleValue: Double { value.doubleValue }
  @inlinable public static var unitRoundoff: Double { Base.unitRoundoff }
  @inlinable public var magnitude: Self { value.sign == .minus ? -self : self }

  @inlinable public static func == (lhs: Self, rhs: Self) -> Bool { lhs.value == rhs.value }
  @inlinable public static func < (lhs: Self, rhs: Self) -> Bool { lhs.value < rhs.value }

  @inlinable public static prefix func - (operand: Self) -> Self {
    Self(value: -operand.value, tangent: -operand.tangent)
  }
  @inlinable @inline(__always) public static func + (lhs: Self, rhs: Self) -> Self {
    Self(value: lhs.value + rhs.value, tangent: lhs.tangent + rhs.tangent)
  }
  @inlinable @inline(__always) public static func - (lhs: Self, rhs: Self) -> Self {
    Self(value: lhs.value - rhs.value, tangent: lhs.tangent - rhs.tangent)
  }
  @inlinable @inline(__always) public static func * (lhs: Self, rhs: Self) -> Self {
    Self(value: lhs.value * rhs.value, tangent: lhs.tangent * rhs.value + rhs.tangent * lhs.value)
  }
  @inlinable public static func / (lhs: Self, rhs: Self) -> Self {
    let quotient = lhs.value / rhs.value
    return Self(value: quotient, tangent: (lhs.tangent - rhs.tangent * quotient) / rhs.value)
  }
  @inlinable @inline(__always) public static func += (lhs: inout Self, rhs: Self) { lhs = lhs + rhs }
  @inlinable public static func -= (lhs: inout Self, rhs: Self) { lhs = lhs - rhs }
  @inlinable public static func *= (lhs: inout Self, rhs: Self) { lhs = lhs * rhs }
  @inlinable public static func /= (lhs: inout Self, rhs: Self) { lhs = lhs / rhs }

  @inlinable
  public func squareRoot() -> Self {
    let root = value.squareRoot()
    return Self(value: root, tangent: tangent / (2 * root))
  }

  @inlinable
  public static func exp(_ x: Self) -> Self {
    let result = Base.exp(x.value)
    return Self(value: result, tangent: x.tangent * result)
  }

  @inlinable
  public static func log(_ x: Self) -> Self { Self(value: Base.log(x.value), tangent: x.tangent / x.value) }

  @inlinable
  public static func tanh(_ x: Self) -> Self {
    let result = Base.tanh(x.value)
    // sech² rather than 1 − tanh², which cancels.
    let doubled = Base.exp(-2 * x.value.magnitude)
    return Self(value: result, tangent: x.tangent * (4 * doubled / ((1 + doubled) * (1 + doubled))))
  }

  @inlinable
  public static func erfc(_ x: Self) -> Self {
    // 2/√π
    let slope = -Base(1.128_379_167_095_512_573_896_158_903_121_545_171_7) * Base.exp(-x.value * x.value)
    return Self(value: Base.erfc(x.value), tangent: x.tangent * slope)
  }
}
