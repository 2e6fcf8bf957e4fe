import Problems
/// A matrix in vectors of eight columns, for the matrix products that a convolution is made of.
///
/// Products are accumulated threefold (their sum, magnitudes and squares, as ``ProductSums`` wants them); eight columns at
/// a time that costs little more than the sum alone.
struct ColumnMatrix: Sendable {
  typealias Lane = SIMD8<Double>

  let rows: Int
  let columns: Int
  /// Vectors a row; columns past the last hold zero.
  let width: Int
  var lanes: [Lane]

  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    width = (columns + 7) / 8
    lanes = Array(repeating: .zero, count: rows * width)
  }

  subscript(row: Int, column: Int) -> Double {
    get { lanes[row * width + column / 8][column % 8] }
    set { lanes[row * width + column / 8][column % 8] = newValue }
  }

  /// Σ, Σ| |, Σ( )² of the products of a row of each.
  func products(row: Int, with other: ColumnMatrix, row otherRow: Int) -> SIMD4<Double> {
    var (value, magnitude, squares) = (Lane.zero, Lane.zero, Lane.zero)
    let (start, otherStart) = (row * width, otherRow * width)
    for i in 0..<width {
      let term = lanes[start + i] * other.lanes[otherStart + i]
      value += term
      magnitude += term.magnitudes
      squares += term * term
    }
    return SIMD4(value.sum(), magnitude.sum(), squares.sum(), 0)
  }
}

/// One row of sums of products, accumulated term by term.
struct ColumnAccumulator {
  typealias Lane = ColumnMatrix.Lane
  private(set) var value: [Lane]
  private(set) var magnitude: [Lane]
  private(set) var squares: [Lane]

  init(width: Int) {
    value = Array(repeating: .zero, count: width)
    magnitude = value
    squares = value
  }

  mutating func clear() {
    for i in value.indices {
      value[i] = .zero
      magnitude[i] = .zero
      squares[i] = .zero
    }
  }

  /// Adds `factor` times a row.
  mutating func add(_ matrix: ColumnMatrix, row: Int, times factor: Double) {
    let factor = Lane(repeating: factor)
    let start = row * matrix.width
    for i in 0..<matrix.width {
      let term = matrix.lanes[start + i] * factor
      value[i] += term
      magnitude[i] += term.magnitudes
      squares[i] += term * term
    }
  }

  /// Σ, Σ| |, Σ( )² of one column.
  subscript(column: Int) -> SIMD4<Double> {
    let (vector, lane) = (column / 8, column % 8)
    return SIMD4(value[vector][lane], magnitude[vector][lane], squares[vector][lane], 0)
  }
}

extension SIMD8<Double> {
  /// |x| in each lane; NaN stays NaN.
  @inline(__always)
  var magnitudes: Self { replacing(with: -self, where: self .< 0) }
}

extension ProductSums {
  /// Adds sums of products to an element.
  mutating func add(_ products: SIMD4<Double>, to element: Int) {
    value[element] += products[0]
    magnitude[element] += products[1]
    squares[element] += products[2]
  }
}
