import Tensors

/// A value with a rigorous bound on the rounding error that *any* order of summation could have left in it, when the
/// arithmetic has `Candidate`'s precision. Running a generic backward pass over it bounds every element of the gradient.
///
/// A sum is kept as its value, the number k of its terms and Σ|terms|: a tree of k − 1 additions has an error of at most
/// (k − 1)·u·Σ|terms| to first order, whatever its shape, and any other operation first turns its operands' sums into errors. Second-order
/// terms are covered by 1 % on top, as long as k·u ≤ 0.01.
///
/// - Source: Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 4.2 and lemma 3.1.
struct RoundingBound<Candidate: RealScalar>: RealScalar {
  var value: Double
  /// Error inherited from the terms.
  private var inherited: Double
  private var terms: Double
  private var magnitudes: Double

  /// An exact value; zero has no terms, so that an accumulator starts for nothing.
  init(_ value: Double) {
    self.value = value
    inherited = 0
    terms = value == 0 ? 0 : 1
    magnitudes = abs(value)
  }

  private init(value: Double, error: Double) {
    self.value = value
    inherited = error
    terms = 1
    magnitudes = abs(value)
  }

  private init(value: Double, inherited: Double, terms: Double, magnitudes: Double) {
    self.value = value
    self.inherited = inherited
    self.terms = terms
    self.magnitudes = magnitudes
  }

  static var unitRoundoff: Double { Candidate.unitRoundoff }

  /// |computed − exact| is at most this.
  var error: Double { (inherited + max(terms - 1, 0) * Self.unitRoundoff * magnitudes) * 1.01 }

  init(_ value: Int) { self.init(Double(value)) }
  init(integerLiteral value: Int) { self.init(Double(value)) }
  init?<T: BinaryInteger>(exactly source: T) {
    guard let value = Double(exactly: source) else { return nil }
    self.init(value)
  }

  static var nan: Self { Self(Double.nan) }
  static var infinity: Self { Self(Double.infinity) }
  var isNaN: Bool { value.isNaN }
  var isFinite: Bool { value.isFinite }
  var doubleValue: Double { value }
  var magnitude: Self { value.sign == .minus ? -self : self }

  static func == (lhs: Self, rhs: Self) -> Bool { lhs.value == rhs.value }
  static func < (lhs: Self, rhs: Self) -> Bool { lhs.value < rhs.value }

  static prefix func - (operand: Self) -> Self {
    var negated = operand
    negated.value = -operand.value
    return negated
  }
  static func + (lhs: Self, rhs: Self) -> Self {
    Self(
      value: lhs.value + rhs.value, inherited: lhs.inherited + rhs.inherited, terms: lhs.terms + rhs.terms,
      magnitudes: lhs.magnitudes + rhs.magnitudes)
  }
  static func - (lhs: Self, rhs: Self) -> Self { lhs + -rhs }
  static func * (lhs: Self, rhs: Self) -> Self {
    let product = lhs.value * rhs.value
    let (left, right) = (lhs.error, rhs.error)
    return Self(
      value: product,
      error: abs(lhs.value) * right + abs(rhs.value) * left + left * right + unitRoundoff * abs(product))
  }
  static func / (lhs: Self, rhs: Self) -> Self {
    let quotient = lhs.value / rhs.value
    let (left, right) = (lhs.error, rhs.error)
    let room = abs(rhs.value) - right
    // A divisor that might be zero bounds nothing.
    let error = room > 0 ? (left + abs(quotient) * right) / room : .infinity
    return Self(value: quotient, error: error + unitRoundoff * abs(quotient))
  }
  static func += (lhs: inout Self, rhs: Self) { lhs = lhs + rhs }
  static func -= (lhs: inout Self, rhs: Self) { lhs = lhs - rhs }
  static func *= (lhs: inout Self, rhs: Self) { lhs = lhs * rhs }
  static func /= (lhs: inout Self, rhs: Self) { lhs = lhs / rhs }

  func squareRoot() -> Self {
    let root = value.squareRoot()
    let least = max(value - error, 0).squareRoot()
    let spread = root + least > 0 ? error / (root + least) : 0
    return Self(value: root, error: spread + Self.unitRoundoff * root)
  }

  /// Mathematical libraries promise an ulp or less; two are allowed.
  static func exp(_ x: Self) -> Self {
    let result = Double.exp(x.value)
    return Self(value: result, error: result * (Double.exp(x.error) - 1) + 4 * unitRoundoff * result)
  }
  static func log(_ x: Self) -> Self {
    let result = Double.log(x.value)
    let room = abs(x.value) - x.error
    return Self(value: result, error: (room > 0 ? x.error / room : .infinity) + 4 * unitRoundoff * abs(result))
  }
}
