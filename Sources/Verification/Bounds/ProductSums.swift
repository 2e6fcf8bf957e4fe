/// What the error of a tensor of sums Σ t depends on: for each element the sum, Σ|t| and Σt², and how many terms there are.
///
/// - rigorous: `γ_K·Σ|t| + K·η`. Any order of summation puts at most K roundings (the product's and K − 1 additions') on a
///   term's way; η is what a product loses by underflow.
/// - statistical: `λ·u·√K·sqrt(max(Σt², y²)) + u·|y| + K·η`. Partial sums of K independent terms of either sign grow as √Σt², those
///   of terms with a common sign as |y|; each of K additions rounds its partial sum by a relative u, independently.
struct ProductSums: Sendable {
  var value: [Double]
  var magnitude: [Double]
  var squares: [Double]
  /// K, the additive terms of one element, its bias included.
  var termCount: Int

  init(count: Int, termCount: Int) {
    value = Array(repeating: 0, count: count)
    magnitude = value
    squares = value
    self.termCount = termCount
  }

  mutating func add(_ term: Double, to element: Int) {
    value[element] += term
    magnitude[element] += abs(term)
    squares[element] += term * term
  }

  /// - Parameter extraRoundings: what happens to a term besides the product and the sum.
  func bounds(in rounding: Rounding, extraRoundings: Int = 0) -> ElementBounds {
    let roundings = Double(termCount + extraRoundings)
    let gamma = rounding.gamma(roundings)
    let scale = ElementBounds.lambda * rounding.unit * roundings.squareRoot()
    let underflow = roundings * rounding.underflow
    var statistical = value
    var rigorous = value
    for i in value.indices {
      rigorous[i] = gamma * magnitude[i] + underflow
      statistical[i] =
        scale * max(squares[i], value[i] * value[i]).squareRoot() + rounding.unit * abs(value[i]) + underflow
      // Swift's max drops a NaN operand; the sum keeps it.
      if squares[i].isNaN { statistical[i] = .nan }
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }
}
