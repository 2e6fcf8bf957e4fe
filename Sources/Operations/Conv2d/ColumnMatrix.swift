import OracleLoopsPortable
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

  /// Σ, Σ| |, Σ( )² of the products of each row with a row of another matrix.
  func products(with other: ColumnMatrix, row: Int, _ loops: OracleLoops) -> [SIMD4<Double>] {
    let parts = OracleLoopsPortable.productParts
    var sums = [Double](repeating: 0, count: rows * parts)
    do {
      var target = sums.mutableSpan
      loops.sumProductsOfRows(lanes.span, other.lanes.span.extracting(row * width..<(row + 1) * width), to: &target)
    }
    return (0..<rows).map { SIMD4(sums[$0 * parts], sums[$0 * parts + 1], sums[$0 * parts + 2], 0) }
  }
}

/// One row of sums of products.
struct ColumnAccumulator {
  private typealias Lane = ColumnMatrix.Lane
  private static var parts: Int { OracleLoopsPortable.productParts }

  /// Vectors of a row whose sums stay in registers while all rows pass. The sums of longer ones pass with each row, or every row
  /// would be read from pages far apart.
  private static let shortRow = 8

  private let loops: OracleLoops
  private var sums: [Lane]

  init(width: Int, _ loops: OracleLoops) {
    self.loops = loops
    sums = Array(repeating: .zero, count: width * Self.parts)
  }

  /// Takes the sum over the rows of a matrix, each times a factor.
  /// - Parameter factors: that of row r is at `first + r·step`.
  mutating func take(_ matrix: ColumnMatrix, times factors: [Double], first: Int, step: Int) {
    guard matrix.width > 0 else { return }
    let loops = loops
    guard matrix.width > Self.shortRow else {
      var target = sums.mutableSpan
      loops.sumScaledRows(
        matrix.lanes.span, width: matrix.width, factors.span, first: first, step: step, to: &target)
      return
    }
    for i in sums.indices { sums[i] = .zero }
    var target = sums.mutableSpan
    let (lanes, width) = (matrix.lanes.span, matrix.width)
    for row in 0..<matrix.rows {
      loops.addScaledRow(
        lanes.extracting(row * width..<(row + 1) * width), factors[first + row * step], to: &target)
    }
  }

  /// Σ, Σ| |, Σ( )² of one column.
  subscript(column: Int) -> SIMD4<Double> {
    let (place, lane) = (column / 8 * Self.parts, column % 8)
    return SIMD4(sums[place][lane], sums[place + 1][lane], sums[place + 2][lane], 0)
  }
}

extension ProductSums {
  /// Adds sums of products to an element.
  mutating func add(_ products: SIMD4<Double>, to element: Int) {
    value[element] += products[0]
    magnitude[element] += products[1]
    squares[element] += products[2]
  }
}
