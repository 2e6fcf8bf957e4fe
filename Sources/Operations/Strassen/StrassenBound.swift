import Problems

/// Error bounds of a matrix product A·B (M×K times K×N) by Strassen's algorithm or Winograd's variant, at most so many levels
/// deep; which of the two it was, and how odd extents were split, need not be known.
///
/// The seven products of a level multiply sums of blocks of A by sums of blocks of B. Of each operand of each product at the
/// bottom the bound knows what its rows (of B: columns) hold at most: E = Σa², S = |Σa|, and E′ the same as E for sums of the
/// blocks' magnitudes. With h terms in a sum there, in units of u²:
/// - a bottom product has the variance `E_a·E_b + (S_a·S_b)²/h`, which is h·max(Σt², y²) of ``Problems/ProductSums`` for terms
///   t = a·b that are independent or have a common sign, and for the operands' additions, at most three a level,
///   `3·levels·(E′_a·E_b + E_a·E′_b)/h`;
/// - a block of the result adds the variances of its products up, and for its own additions, at most three of at most four
///   products, `3·4·Σm²`, where `m² = E_a·E_b/h + (S_a·S_b/h)²` is the square of a product's elements.
///
/// The largest over the blocks of the result and over both algorithms is every element's. The rows' and columns' largest make
/// it independent of where odd extents are split. The rigorous bound is norm-wise, `γ_{h+6·levels}·18^levels·h·max|A|·max|B|`.
///
/// - Source: Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., theorem 23.3, for the rigorous one.
struct StrassenBound: Sendable {
  /// Row-major.
  struct Matrix: Sendable {
    let rows: Int
    let columns: Int
    var elements: [Double]

    init(rows: Int, columns: Int, _ elements: [Double]) {
      self.rows = rows
      self.columns = columns
      self.elements = elements
    }

    var transposed: Matrix {
      var result = Matrix(rows: columns, columns: rows, elements)
      for i in 0..<rows { for j in 0..<columns { result.elements[j * rows + i] = elements[i * columns + j] } }
      return result
    }

    var magnitudes: Matrix { Matrix(rows: rows, columns: columns, elements.map(abs)) }
    var largest: Double { elements.reduce(0) { $1.isNaN ? .nan : max($0, abs($1)) } }

    /// Σ factors[b]·block b, for the blocks 11, 12, 21, 22 of the matrix, filled up with zeros to even extents.
    func combined(_ factors: [Double]) -> Matrix {
      let (height, width) = ((rows + 1) / 2, (columns + 1) / 2)
      var result = Matrix(rows: height, columns: width, Array(repeating: 0, count: height * width))
      for (block, factor) in factors.enumerated() where factor != 0 {
        let (top, left) = (block / 2 * height, block % 2 * width)
        for i in 0..<min(height, rows - top) {
          for j in 0..<min(width, columns - left) {
            result.elements[i * width + j] += factor * elements[(top + i) * columns + left + j]
          }
        }
      }
      return result
    }
  }

  /// The smallest extent that an engine may divide: below it seven products cost more than eight.
  static let leastExtent = 256

  /// Of every element, in units of u².
  private let variance: Double
  /// Of every element, in units of γ_roundings.
  private let magnitude: Double
  private let roundings: Double
  /// Products of elements in one element's sums at the bottom.
  private let products: Double
  /// Whether every partial sum is a number of float32, as a common unit of each operand's elements shows.
  let isExact: Bool

  /// - Parameters:
  ///   - left: A.
  ///   - right: Bᵀ.
  ///   - levels: at most.
  /// - Returns: `nil` where an extent is below ``leastExtent``.
  init?(_ left: Matrix, _ right: Matrix, levels: Int) {
    guard min(left.rows, left.columns, right.rows) >= Self.leastExtent, levels > 0 else { return nil }
    precondition(left.columns == right.columns)
    variance = StrassenScheme.all.reduce(0) { widest, scheme in
      // The blocks 12 and 21 of B are Bᵀ's 21 and 12.
      let transposed = scheme.right.map { [$0[0], $0[2], $0[1], $0[3]] }
      // An engine may stop above the last level.
      return (1...levels).reduce(widest) { widest, levels in
        let (a, b) = (Operand(left, scheme.left, levels), Operand(right, transposed, levels))
        let found = Self.variance(a, b, scheme, levels)
        return found.isNaN || widest.isNaN ? .nan : max(widest, found)
      }
    }
    let bottom = Double((left.columns + (1 << levels) - 1) >> levels)
    let growth = (0..<levels).reduce(1.0) { product, _ in product * 18 }
    magnitude = growth * bottom * left.largest * right.largest
    roundings = bottom + 6 * Double(levels)
    products = growth * bottom
    let unit = (commonUnit(left.elements) ?? .nan) * (commonUnit(right.elements) ?? .nan)
    isExact = magnitude <= 0x1p24 * unit
  }

  /// What the rows of one operand hold at most, and the operands that a level makes of it.
  private struct Operand {
    let energy: Double
    let magnitudeEnergy: Double
    let sum: Double
    let terms: Double
    let parts: [Operand]

    init(_ matrix: Matrix, _ factors: [[Double]], _ levels: Int) {
      self.init(matrix, matrix.magnitudes, factors, levels)
    }

    private init(_ matrix: Matrix, _ magnitudes: Matrix, _ factors: [[Double]], _ levels: Int) {
      func largest(_ matrix: Matrix, _ term: (Double) -> Double) -> Double {
        (0..<matrix.rows).reduce(0) { largest, row in
          let sum = matrix.elements[row * matrix.columns..<(row + 1) * matrix.columns].reduce(0) { $0 + term($1) }
          return sum.isNaN || largest.isNaN ? .nan : max(largest, abs(sum))
        }
      }
      energy = largest(matrix) { $0 * $0 }
      magnitudeEnergy = largest(magnitudes) { $0 * $0 }
      sum = largest(matrix) { $0 }
      terms = Double(matrix.columns)
      parts =
        levels == 0
        ? []
        : factors.map {
          Operand(matrix.combined($0), magnitudes.combined($0.map(abs)), factors, levels - 1)
        }
    }
  }

  private static func variance(_ a: Operand, _ b: Operand, _ scheme: StrassenScheme, _ levels: Int) -> Double {
    guard !a.parts.isEmpty else {
      let ofAdditions = StrassenScheme.additions * Double(levels) / a.terms
      return a.energy * b.energy + a.sum * a.sum * b.sum * b.sum / a.terms
        + ofAdditions * (a.magnitudeEnergy * b.energy + a.energy * b.magnitudeEnergy)
    }
    let parts = zip(a.parts, b.parts).map { a, b in
      let coherent = a.sum * b.sum / a.terms
      return variance(a, b, scheme, levels) + StrassenScheme.additions * StrassenScheme.summands
        * (a.energy * b.energy / a.terms + coherent * coherent)
    }
    return scheme.results.reduce(0) { widest, products in
      let sum = products.reduce(0) { $0 + parts[$1] }
      return sum.isNaN || widest.isNaN ? .nan : max(widest, sum)
    }
  }

  /// Each element's wider bound.
  /// - Parameters:
  ///   - direct: the bounds of the same sums term by term.
  ///   - values: the sums.
  ///   - count: how many elements of the product are added up, term by term, to one of `values`.
  func widened(_ direct: ElementBounds, values: [Double], adding count: Int = 1, in rounding: Rounding) -> ElementBounds
  {
    let count = Double(count)
    let underflow = count * products * rounding.underflow
    let deviation = ElementBounds.lambda * rounding.unit * (count * variance).squareRoot()
    let rigorous = count * rounding.gamma(roundings) * magnitude + underflow
    let own = ElementBounds(
      statistical: values.map { deviation + rounding.unit * abs($0) + underflow },
      rigorous: values.map { _ in rigorous })
    return direct.widest(with: count > 1 ? own.plus(direct) : own)
  }
}

extension ElementBounds {
  fileprivate func plus(_ other: ElementBounds) -> ElementBounds {
    ElementBounds(
      statistical: statistical.flatMap { mine in other.statistical.map { zip(mine, $0).map(+) } },
      rigorous: zip(rigorous, other.rigorous).map(+))
  }
}
