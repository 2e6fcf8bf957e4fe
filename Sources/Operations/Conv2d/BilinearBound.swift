import Foundation
import Problems

/// Error bounds of Y = Lᵀ[Σ_c (F f_c Fᵀ) ∘ (B d_c Bᵀ)]L in float32, for one output tile: what Winograd's forward pass and both
/// its gradients are made of.
///
/// With f̂ = F f Fᵀ, v̂ = B d Bᵀ, u = 2⁻²⁴ and |·| elementwise:
/// - statistical: `λ·u·sqrt(L∘²ᵀ·V·L∘² + W) + u·|y|`, with M = Σ_c f̂∘v̂ and
///   `V = Σ_c [((|F||f||Fᵀ|)∘|v̂|)² + (|f̂|∘(|B||d||Bᵀ|))²] + max(C·S, (C + 1)·(S + 2M∘²)/6)`, `S = Σ_c (f̂∘v̂)²`. The last part is
///   the rounding of M. Of C terms t in an order that has nothing to do with their values the sum of k has the mean square
///   k·(C − k)/(C·(C − 1))·(Σt² − (Σt)²/C) + (k/C)²·(Σt)². Over all k these are the second figure of the max, which is that of terms
///   of one sign; the first is more where they are of either. W is the inverse transform's own rounding, with T = LᵀM. Its sums
///   have n terms, so few that the first figure stands for both (of n = 8 equal terms the second is 3.2 times as much, and its
///   root 1.8 of λ = 8): `W = n·(L∘²ᵀ·M∘²)·L∘² + n·T∘²·L∘²`.
/// - rigorous: `γ·|L|ᵀ(Σ_c |F||f||Fᵀ| ∘ |B||d||Bᵀ|)|L|` with γ = k·u/(1 − k·u), k = C + 2(p + 2) + 2(q + 2) + 2(n + 2): each of the
///   three transforms is two passes of sums of p, q and n products, and each entry of a matrix may itself be rounded. For
///   underflow a pass adds its number of terms times 2⁻¹⁵⁰ (half the smallest denormal), which the next one magnifies.
/// - constants that float32 does not hold add one rounding each to the statistical bound. With F° for F's entries of that
///   kind and 0 elsewhere, a transformed filter is off by another `|F°||f||Fᵀ| + |F||f||F°ᵀ|`, whose square V gets, times v̂²;
///   the same for B. Each of these four passes rounds alike for every c, so that errors of a common sign add up to u·|M|: V
///   gets M² for each pass that has such constants. W gets `(L°∘²ᵀ·M∘²)·L∘² + T∘²·L°∘²`.
/// The transforms may be evaluated in any order or factored form whose factors do not cancel (even and odd parts do not).
struct BilinearBound {
  /// Row-major doubles.
  struct Matrix {
    let rows: Int
    let columns: Int
    var elements: [Double]

    init(_ rows: Int, _ columns: Int, _ elements: [Double]) {
      self.rows = rows
      self.columns = columns
      self.elements = elements
    }

    init(_ rows: [[Double]]) {
      self.init(rows.count, rows.first?.count ?? 0, rows.flatMap { $0 })
    }

    /// The entries that float32 does not hold, 0 in place of the others. What is left of an entry by cancellation in double
    /// precision counts as held.
    var rounded: Matrix {
      let negligible = 0x1p-40 * (elements.map(abs).max() ?? 0)
      return map { abs(Double(Float($0)) - $0) > negligible ? $0 : 0 }
    }

    var isZero: Bool { elements.allSatisfy { $0 == 0 } }

    var transposed: Matrix {
      Matrix(columns, rows, (0..<rows * columns).map { elements[$0 % rows * columns + $0 / rows] })
    }

    func map(_ body: (Double) -> Double) -> Matrix { Matrix(rows, columns, elements.map(body)) }

    /// Σ|entries| of each row.
    var rowSums: [Double] {
      (0..<rows).map { row in elements[row * columns..<(row + 1) * columns].reduce(0) { $0 + abs($1) } }
    }

    /// self · middle · selfᵀ for a square `middle` given by its elements.
    func sandwich(_ middle: [Double]) -> [Double] { sandwich(middle, self) }

    /// self · middle · rightᵀ, `right` of this matrix's shape.
    func sandwich(_ middle: [Double], _ right: Matrix) -> [Double] {
      var half = [Double](repeating: 0, count: rows * columns)
      var result = [Double](repeating: 0, count: rows * rows)
      sandwich(middle, right, half: &half, into: &result)
      return result
    }

    /// The same without a new array: `half` holds rows · columns values of no meaning.
    func sandwich(_ middle: [Double], _ right: Matrix, half: inout [Double], into result: inout [Double]) {
      for i in 0..<rows {
        for j in 0..<columns {
          var sum = 0.0
          for k in 0..<columns { sum += elements[i * columns + k] * middle[k * columns + j] }
          half[i * columns + j] = sum
        }
      }
      for i in 0..<rows {
        for j in 0..<rows {
          var sum = 0.0
          for k in 0..<columns { sum += half[i * columns + k] * right.elements[j * columns + k] }
          result[i * rows + j] = sum
        }
      }
    }
  }

  /// Points of a tile that are computed at once; the last vector of a tile is filled up with zeros.
  fileprivate typealias Lane = SIMD4<Double>

  /// One operand's tiles, in the order of the sum that they take part in: vector after vector, each of all tiles.
  struct Transformed {
    /// f̂ (or v̂).
    fileprivate var value: [Lane]
    /// |F||f||Fᵀ|.
    fileprivate var magnitude: [Lane]
    /// (|F||f||Fᵀ|)² and the like of the rounded constants: the variance of f̂ in units of u².
    fileprivate var variance: [Lane]
    /// Σ |F||f||Fᵀ| over the tiles.
    fileprivate var magnitudeSum: [Lane]
    fileprivate let count: Int
  }

  /// Sums over c for one tile; n·n values each.
  struct Sums {
    /// Σ f̂∘v̂.
    var product: [Double]
    /// V.
    var variance: [Double]
    /// Σ |F||f||Fᵀ| ∘ |B||d||Bᵀ|.
    var magnitude: [Double]
    /// What underflow of the transforms makes of the products, in units of 2⁻¹⁵⁰.
    var underflow: [Double]

    fileprivate init(points: Int) {
      product = []
      product.reserveCapacity(points)
      (variance, magnitude, underflow) = (product, product, product)
    }
  }

  /// Lᵀ (outputs × n).
  let output: Matrix
  /// F (n × p), applied to the operand that is called the filter.
  let filter: Matrix
  /// B (n × q).
  let input: Matrix
  private let outputSquared: Matrix
  private let outputMagnitude: Matrix
  private let filterMagnitude: Matrix
  private let inputMagnitude: Matrix
  private let outputRounded: Matrix
  private let filterRounded: Matrix
  private let inputRounded: Matrix
  /// How many of the passes of both operands' transforms have constants that are rounded.
  private let roundedPasses: Double
  private let filterUnderflow: [Double]
  private let inputUnderflow: [Double]

  static let unitRoundoff = 0x1p-24

  /// - Parameter roundsConstants: whether entries of the matrices may have been rounded to float32.
  init(output: Matrix, filter: Matrix, input: Matrix, roundsConstants: Bool) {
    func rounded(_ matrix: Matrix) -> Matrix { roundsConstants ? matrix.rounded : matrix.map { _ in 0 } }
    outputRounded = rounded(output).map { $0 * $0 }
    filterRounded = rounded(filter).map(abs)
    inputRounded = rounded(input).map(abs)
    roundedPasses = (filterRounded.isZero ? 0 : 2) + (inputRounded.isZero ? 0 : 2)
    self.output = output
    self.filter = filter
    self.input = input
    outputSquared = output.map { $0 * $0 }
    outputMagnitude = output.map(abs)
    filterMagnitude = filter.map(abs)
    inputMagnitude = input.map(abs)
    filterUnderflow = Self.underflow(of: filter)
    inputUnderflow = Self.underflow(of: input)
  }

  /// Units of 2⁻¹⁵⁰ that two passes over a tile add to each of its n·n values: the first pass's, magnified by the second.
  private static func underflow(of matrix: Matrix) -> [Double] {
    let sums = matrix.rowSums
    return (0..<matrix.rows * matrix.rows).map { Double(matrix.columns) * (1 + sums[$0 % matrix.rows]) }
  }

  /// The tiles of one filter, or of one place of it, in the order of the sum that they take part in.
  func transformedFilter(count: Int, _ tile: (Int) -> [Double]) -> Transformed {
    Self.transformed(filter, filterMagnitude, filterRounded, count, tile)
  }

  func transformedInput(count: Int, _ tile: (Int) -> [Double]) -> Transformed {
    Self.transformed(input, inputMagnitude, inputRounded, count, tile)
  }

  private static func transformed(
    _ matrix: Matrix, _ magnitudes: Matrix, _ rounded: Matrix, _ count: Int, _ tile: (Int) -> [Double]
  ) -> Transformed {
    let points = matrix.rows * matrix.rows
    let lanes = (points + Lane.scalarCount - 1) / Lane.scalarCount
    let roundsConstants = !rounded.isZero
    var half = [Double](repeating: 0, count: matrix.rows * matrix.columns)
    var (value, magnitude) = ([Double](repeating: 0, count: points), [Double](repeating: 0, count: points))
    var (first, second) = (value, value)
    let zeros = [Lane](repeating: .zero, count: lanes * count)
    var result = Transformed(
      value: zeros, magnitude: zeros, variance: zeros, magnitudeSum: Array(repeating: .zero, count: lanes),
      count: count)
    for index in 0..<count {
      var elements = tile(index)
      matrix.sandwich(elements, matrix, half: &half, into: &value)
      for i in elements.indices { elements[i] = abs(elements[i]) }
      magnitudes.sandwich(elements, magnitudes, half: &half, into: &magnitude)
      if roundsConstants {
        rounded.sandwich(elements, magnitudes, half: &half, into: &first)
        magnitudes.sandwich(elements, rounded, half: &half, into: &second)
      }
      for point in 0..<points {
        let (lane, element) = (point / Lane.scalarCount, point % Lane.scalarCount)
        let constants = first[point] + second[point]
        result.value[lane * count + index][element] = value[point]
        result.magnitude[lane * count + index][element] = magnitude[point]
        result.variance[lane * count + index][element] =
          magnitude[point] * magnitude[point] + (roundsConstants ? constants * constants : 0)
        result.magnitudeSum[lane][element] += magnitude[point]
      }
    }
    return result
  }

  /// The sums over c, of which each operand has as many tiles; there are as many products in each sum.
  func sums(_ f: Transformed, _ d: Transformed) -> Sums {
    let points = filterUnderflow.count
    let (count, length) = (f.count, Double(f.count))
    var sums = Sums(points: points)
    // A vector of points outside, so that its sums stay in registers while c goes on.
    for lane in f.magnitudeSum.indices {
      var (product, variance, squares, magnitude) = (Lane.zero, Lane.zero, Lane.zero, Lane.zero)
      for place in lane * count..<(lane + 1) * count {
        let (fValue, dValue) = (f.value[place], d.value[place])
        let (fSquare, dSquare) = (fValue * fValue, dValue * dValue)
        product += fValue * dValue
        variance += f.variance[place] * dSquare + fSquare * d.variance[place]
        squares += fSquare * dSquare
        magnitude += f.magnitude[place] * d.magnitude[place]
      }
      let whole = product * product
      let (eitherSign, oneSign) = (length * squares, (length + 1) / 6 * (squares + 2 * whole))
      variance += eitherSign.replacing(with: oneSign, where: oneSign .> eitherSign) + roundedPasses * whole
      for i in lane * Lane.scalarCount..<min((lane + 1) * Lane.scalarCount, points) {
        let element = i % Lane.scalarCount
        sums.product.append(product[element])
        sums.variance.append(variance[element])
        sums.magnitude.append(magnitude[element])
        let (ofFilter, ofInput) = (filterUnderflow[i], inputUnderflow[i])
        sums.underflow.append(
          length * (1 + 0x1p-150 * ofFilter * ofInput) + ofFilter * d.magnitudeSum[lane][element]
            + f.magnitudeSum[lane][element] * ofInput)
      }
    }
    return sums
  }

  /// Bounds of the tile's outputs, row-major.
  func bounds(_ sums: Sums, length: Int, lambda: Double) -> (statistical: [Double], rigorous: [Double]) {
    let points = Double(output.columns)
    let value = output.sandwich(sums.product)
    let variance = outputSquared.sandwich(sums.variance)
    let squares = sums.product.map { $0 * $0 }
    let firstPass = outputSquared.sandwich(squares)
    let secondPass = secondPassVariance(sums.product, outputSquared)
    let constants =
      outputRounded.isZero
      ? nil : (outputRounded.sandwich(squares, outputSquared), secondPassVariance(sums.product, outputRounded))
    let magnitude = outputMagnitude.sandwich(sums.magnitude)
    let underflow = outputMagnitude.sandwich(sums.underflow)
    let roundings = Double(length + 2 * (filter.columns + 2) + 2 * (input.columns + 2) + 2 * (output.columns + 2))
    let gamma = roundings * Self.unitRoundoff / (1 - roundings * Self.unitRoundoff)
    let outputUnderflow = points * (1 + (outputMagnitude.rowSums.max() ?? 0))
    var statistical = [Double](repeating: 0, count: value.count)
    var rigorous = statistical
    for i in value.indices {
      let rounded = constants.map { $0.0[i] + $0.1[i] } ?? 0
      let spread = variance[i] + points * (firstPass[i] + secondPass[i]) + rounded
      statistical[i] =
        lambda * Self.unitRoundoff * spread.squareRoot() + Self.unitRoundoff * abs(value[i])
        + 0x1p-150 * (underflow[i] + outputUnderflow)
      rigorous[i] = gamma * magnitude[i] + 0x1p-150 * (underflow[i] + outputUnderflow)
    }
    return (statistical, rigorous)
  }

  /// T∘²·squares with T = LᵀM, for the squares of L's entries or of those that are rounded.
  private func secondPassVariance(_ product: [Double], _ squares: Matrix) -> [Double] {
    let (outputs, points) = (output.rows, output.columns)
    var result = [Double](repeating: 0, count: outputs * outputs)
    for i in 0..<outputs {
      for j in 0..<points {
        var t = 0.0
        for k in 0..<points { t += output.elements[i * points + k] * product[k * points + j] }
        for l in 0..<outputs { result[i * outputs + l] += t * t * squares.elements[l * points + j] }
      }
    }
    return result
  }
}
