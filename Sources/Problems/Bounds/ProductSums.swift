/// What the error of a tensor of sums Σ t depends on: for each element the sum, Σ|t| and Σt², and how many terms there are.
///
/// - rigorous: `γ_K·Σ|t| + K·η`. Any order of summation puts at most K roundings (the product's and K − 1 additions') on a
///   term's way; η is what a product loses by underflow.
/// - statistical: `λ·u·√K·sqrt(max(Σt², y²)) + u·|y| + K·η`. Partial sums of K independent terms of either sign grow as √Σt², those
///   of terms with a common sign as |y|; each of K additions rounds its partial sum by a relative u, independently.
public struct ProductSums: Sendable {
  public var value: [Double]
  public var magnitude: [Double]
  public var squares: [Double]
  /// K, the additive terms of one element, its bias included.
  public var termCount: Int

  public init(count: Int, termCount: Int) {
    value = Array(repeating: 0, count: count)
    magnitude = value
    squares = value
    self.termCount = termCount
  }

  public init(value: [Double], magnitude: [Double], squares: [Double], termCount: Int) {
    self.value = value
    self.magnitude = magnitude
    self.squares = squares
    self.termCount = termCount
  }

  public mutating func add(_ term: Double, to element: Int) {
    value[element] += term
    magnitude[element] += abs(term)
    squares[element] += term * term
  }

  /// How its errors are spread; `nil` of single products. The error of one follows from two operands that other elements share:
  /// once stored in 16 bits, all products with one factor may lean to one side.
  ///
  /// Of independent terms of either sign Σy² is about ΣΣt²; where it is a tenth more the terms lean to one side, or there are so
  /// few independent sums that it is by chance.
  public var spread: ErrorSpread? {
    guard termCount > 1 else { return nil }
    var spread = ErrorSpread.sums
    var (whole, terms) = (0.0, 0.0)
    for (value, squares) in zip(value, squares) {
      whole += value * value
      terms += squares
    }
    spread.leans = whole > 1.1 * terms
    return spread
  }

  /// - Parameters:
  ///   - rounding: of every product and sum.
  ///   - extraRoundings: what happens to a term besides the product and the sum.
  public func bounds(in rounding: Rounding, extraRoundings: Int = 0) -> ElementBounds {
    let roundings = Double(termCount + extraRoundings)
    let gamma = rounding.gamma(roundings)
    let scale = ElementBounds.lambda * rounding.unit * roundings.squareRoot()
    let underflow = roundings * rounding.underflow
    let unit = rounding.unit
    let rigorous = magnitude.map { gamma * $0 + underflow }
    let statistical = value.indices.map { i in
      let (value, squares) = (value[i], squares[i])
      // Swift's max drops a NaN operand; the sum of squares keeps it.
      return squares.isNaN ? .nan : scale * max(squares, value * value).squareRoot() + unit * abs(value) + underflow
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }
}
