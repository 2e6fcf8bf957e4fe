import Problems

/// Several sums Σt and Σt·x̂ over elements of slices, and how far each may be off.
///
/// Σt·x̂ has what a sum of products has, and besides what x̂ inherits from its slice: an error of μ moves all x̂ of the slice alike,
/// so that it does not average out, by `s·δμ·|Σt|`; one of s by `|Σt·x̂|·δs`. Slices are independent of each other.
///
/// Where x̂ may be taken apart, terms may be t·(x·s − μ·s), or the whole sum s·(Σt·x − μ·Σt): what is rounded is then
/// |t|·s·(|x| + |μ|), and the partial sums grow up to the larger of s·|Σt·x| and s·|μ·Σt|, which cancel.
struct NormalisedSums {
  private(set) var plain: ProductSums
  private(set) var normalised: ProductSums
  private var inheritedRigorous: [Double]
  private var inheritedSquares: [Double]

  /// - Parameter termCount: terms of one sum.
  init(count: Int, termCount: Int) {
    plain = ProductSums(count: count, termCount: termCount)
    normalised = plain
    inheritedRigorous = plain.value
    inheritedSquares = plain.value
  }

  /// Adds the terms of some elements of one slice to a sum.
  mutating func add(_ terms: [Double], at positions: Range<Int>, of pass: SlicePass, to sum: Int) {
    let statistics = pass.statistics
    var (own, total, raw, squares) = (0.0, 0.0, 0.0, 0.0)
    for position in positions {
      let term = terms[position]
      let rounded = abs(term) * pass.magnitude(position)
      own += term * pass.normalised(position)
      total += term
      raw += term * pass.x[position]
      squares += rounded * rounded
      plain.add(term, to: sum)
      normalised.magnitude[sum] += rounded
    }
    if pass.expandsBackward {
      let (parts, shift) = (statistics.scale * raw, statistics.scale * statistics.mean * total)
      squares = squares.isNaN ? .nan : max(squares, parts * parts, shift * shift)
    }
    normalised.value[sum] += own
    normalised.squares[sum] += squares
    func inherited(_ uncertainty: SliceStatistics.Uncertainty) -> Double {
      statistics.scale * uncertainty.mean * abs(total) + abs(own) * uncertainty.scale
    }
    let usual = inherited(statistics.statistical)
    inheritedRigorous[sum] += inherited(statistics.rigorous)
    inheritedSquares[sum] += usual * usual
  }

  /// Bounds of Σt·x̂.
  /// - Parameter extraRoundings: what happens to a term besides its product with x̂ and the sum.
  func normalisedBounds(in rounding: Rounding, extraRoundings: Int) -> ElementBounds {
    let own = normalised.bounds(in: rounding, extraRoundings: extraRoundings)
    let enlarged = 1 + rounding.gamma(normalised.termCount + extraRoundings)
    return ElementBounds(
      statistical: zip(own.tightest, inheritedSquares).map { ($0 * $0 + $1).squareRoot() },
      rigorous: zip(own.rigorous, inheritedRigorous).map { $0 + enlarged * $1 })
  }
}
