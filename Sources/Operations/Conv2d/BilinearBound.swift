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
      for i in 0..<rows {
        for k in 0..<columns where elements[i * columns + k] != 0 {
          let factor = elements[i * columns + k]
          for j in 0..<columns { half[i * columns + j] += factor * middle[k * columns + j] }
        }
      }
      var result = [Double](repeating: 0, count: rows * rows)
      for i in 0..<rows {
        for j in 0..<rows {
          var sum = 0.0
          for k in 0..<columns { sum += half[i * columns + k] * elements[j * columns + k] }
          result[i * rows + j] = sum
        }
      }
      return result
    }
  }

  /// What a transformed operand needs: f̂ (or v̂) and |F||f||Fᵀ|, n·n values each.
  struct Transformed {
    let value: [Double]
    let magnitude: [Double]
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

  func transformedFilter(_ tile: [Double]) -> Transformed {
    Transformed(value: filter.sandwich(tile), magnitude: filterMagnitude.sandwich(tile.map(abs)))
  }

  func transformedInput(_ tile: [Double]) -> Transformed {
    Transformed(value: input.sandwich(tile), magnitude: inputMagnitude.sandwich(tile.map(abs)))
  }

  /// Adds one c; `length` is C, the number of products in each sum.
  func accumulate(_ f: Transformed, _ d: Transformed, length: Int, into sums: inout Sums) {
    let length = Double(length)
    for i in 0..<sums.product.count {
      let product = f.value[i] * d.value[i]
      let fromFilter = f.magnitude[i] * d.value[i]
      let fromInput = f.value[i] * d.magnitude[i]
      sums.product[i] += product
      sums.variance[i] += fromFilter * fromFilter + fromInput * fromInput + length * product * product
      sums.magnitude[i] += f.magnitude[i] * d.magnitude[i]
      sums.underflow[i] +=
        1 + filterUnderflow[i] * d.magnitude[i] + f.magnitude[i] * inputUnderflow[i]
        + 0x1p-150 * filterUnderflow[i] * inputUnderflow[i]
    }
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
