import Foundation
import Problems

/// Error bounds of Y = Lᵀ[Σ_c (F f_c Fᵀ) ∘ (B d_c Bᵀ)]L in float32, for one output tile: what Winograd's forward pass and both
/// its gradients are made of.
///
/// With f̂ = F f Fᵀ, v̂ = B d Bᵀ, u = 2⁻²⁴ and |·| elementwise:
/// - statistical: `λ·u·sqrt(L∘²ᵀ·V·L∘² + W) + u·|y|`, `V = Σ_c [((|F||f||Fᵀ|)∘|v̂|)² + (|f̂|∘(|B||d||Bᵀ|))² + C(f̂∘v̂)²]`. W is the
///   inverse transform's own rounding: with M = Σ f̂∘v̂ and T = LᵀM, a sum of n terms t rounds with variance n·Σt²·u²
///   (the law of the third part of V), so `W = n·(L∘²ᵀ·M∘²)·L∘² + n·T∘²·L∘²`.
/// - rigorous: `γ·|L|ᵀ(Σ_c |F||f||Fᵀ| ∘ |B||d||Bᵀ|)|L|` with γ = k·u/(1 − k·u), k = C + 2(p + 2) + 2(q + 2) + 2(n + 2): each of the
///   three transforms is two passes of sums of p, q and n products, and each entry of a matrix may itself be rounded. For
///   underflow a pass adds its number of terms times 2⁻¹⁵⁰ (half the smallest denormal), which the next one magnifies.
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

    init(_ rationals: [[Rational]]) {
      self.init(rationals.count, rationals.first?.count ?? 0, rationals.flatMap { $0.map(\.doubleValue) })
    }

    var transposed: Matrix {
      Matrix(columns, rows, (0..<rows * columns).map { elements[$0 % rows * columns + $0 / rows] })
    }

    func map(_ body: (Double) -> Double) -> Matrix { Matrix(rows, columns, elements.map(body)) }

    /// Σ|entries| of each row.
    var rowSums: [Double] {
      (0..<rows).map { row in elements[row * columns..<(row + 1) * columns].reduce(0) { $0 + abs($1) } }
    }

    /// self · middle · selfᵀ for a square `middle` given by its elements.
    func sandwich(_ middle: [Double]) -> [Double] {
      var half = [Double](repeating: 0, count: rows * columns)
      var result = [Double](repeating: 0, count: rows * rows)
      sandwich(middle, half: &half, into: &result, at: 0)
      return result
    }

    /// The same without a new array: `half` holds rows · columns values of no meaning, and the result begins at `first`.
    func sandwich(_ middle: [Double], half: inout [Double], into result: inout [Double], at first: Int) {
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
          for k in 0..<columns { sum += half[i * columns + k] * elements[j * columns + k] }
          result[first + i * rows + j] = sum
        }
      }
    }
  }

  /// What transformed tiles need: f̂ (or v̂) and |F||f||Fᵀ|, n·n values each, tile after tile.
  struct Transformed {
    fileprivate(set) var value: [Double]
    fileprivate(set) var magnitude: [Double]
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

    init(points: Int) {
      product = Array(repeating: 0, count: points)
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
  private let filterUnderflow: [Double]
  private let inputUnderflow: [Double]

  static let unitRoundoff = 0x1p-24

  init(output: Matrix, filter: Matrix, input: Matrix) {
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
    Self.transformed(filter, filterMagnitude, count, tile)
  }

  func transformedInput(count: Int, _ tile: (Int) -> [Double]) -> Transformed {
    Self.transformed(input, inputMagnitude, count, tile)
  }

  private static func transformed(
    _ matrix: Matrix, _ magnitudes: Matrix, _ count: Int, _ tile: (Int) -> [Double]
  ) -> Transformed {
    let points = matrix.rows * matrix.rows
    var half = [Double](repeating: 0, count: matrix.rows * matrix.columns)
    var value = [Double](repeating: 0, count: count * points)
    var magnitude = value
    for index in 0..<count {
      var elements = tile(index)
      matrix.sandwich(elements, half: &half, into: &value, at: index * points)
      for i in elements.indices { elements[i] = abs(elements[i]) }
      magnitudes.sandwich(elements, half: &half, into: &magnitude, at: index * points)
    }
    return Transformed(value: value, magnitude: magnitude)
  }

  /// The sums over c, of which each operand has as many tiles; there are as many products in each sum.
  func sums(_ f: Transformed, _ d: Transformed) -> Sums {
    let points = filterUnderflow.count
    let count = f.value.count / points
    let length = Double(count)
    var sums = Sums(points: points)
    // Points inside, so that four sums of a point stay in registers while c goes on.
    for i in 0..<points {
      let (fromFilterUnderflow, fromInputUnderflow) = (filterUnderflow[i], inputUnderflow[i])
      var (product, variance, magnitude, underflow) = (0.0, 0.0, 0.0, 0.0)
      for place in stride(from: i, to: count * points, by: points) {
        let (fValue, fMagnitude) = (f.value[place], f.magnitude[place])
        let (dValue, dMagnitude) = (d.value[place], d.magnitude[place])
        let both = fValue * dValue
        let fromFilter = fMagnitude * dValue
        let fromInput = fValue * dMagnitude
        product += both
        variance += fromFilter * fromFilter + fromInput * fromInput + length * both * both
        magnitude += fMagnitude * dMagnitude
        underflow +=
          1 + fromFilterUnderflow * dMagnitude + fMagnitude * fromInputUnderflow
          + 0x1p-150 * fromFilterUnderflow * fromInputUnderflow
      }
      sums.product[i] = product
      sums.variance[i] = variance
      sums.magnitude[i] = magnitude
      sums.underflow[i] = underflow
    }
    return sums
  }

  /// Bounds of the tile's outputs, row-major.
  func bounds(_ sums: Sums, length: Int, lambda: Double) -> (statistical: [Double], rigorous: [Double]) {
    let points = Double(output.columns)
    let value = output.sandwich(sums.product)
    let variance = outputSquared.sandwich(sums.variance)
    let firstPass = outputSquared.sandwich(sums.product.map { $0 * $0 })
    let secondPass = secondPassVariance(sums.product)
    let magnitude = outputMagnitude.sandwich(sums.magnitude)
    let underflow = outputMagnitude.sandwich(sums.underflow)
    let roundings = Double(length + 2 * (filter.columns + 2) + 2 * (input.columns + 2) + 2 * (output.columns + 2))
    let gamma = roundings * Self.unitRoundoff / (1 - roundings * Self.unitRoundoff)
    let outputUnderflow = points * (1 + (outputMagnitude.rowSums.max() ?? 0))
    var statistical = [Double](repeating: 0, count: value.count)
    var rigorous = statistical
    for i in value.indices {
      let spread = variance[i] + points * (firstPass[i] + secondPass[i])
      statistical[i] =
        lambda * Self.unitRoundoff * spread.squareRoot() + Self.unitRoundoff * abs(value[i])
        + 0x1p-150 * (underflow[i] + outputUnderflow)
      rigorous[i] = gamma * magnitude[i] + 0x1p-150 * (underflow[i] + outputUnderflow)
    }
    return (statistical, rigorous)
  }

  /// T∘²·L∘² with T = LᵀM.
  private func secondPassVariance(_ product: [Double]) -> [Double] {
    let (outputs, points) = (output.rows, output.columns)
    var result = [Double](repeating: 0, count: outputs * outputs)
    for i in 0..<outputs {
      for j in 0..<points {
        var t = 0.0
        for k in 0..<points { t += output.elements[i * points + k] * product[k * points + j] }
        for l in 0..<outputs { result[i * outputs + l] += t * t * outputSquared.elements[l * points + j] }
      }
    }
    return result
  }
}
