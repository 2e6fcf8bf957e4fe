// The inner loops of the bounds of sums of products: their sums, the sums of their magnitudes and those of their squares, `[…][part]`
// in this order, each in the order of its terms, so that the bits are the same on every CPU.

/// How many sums there are of each element's terms.
public let productParts = 3

/// Adds `factor` times a row's vectors to `sums[vector][part]`.
public func addScaledRow(_ row: Span<Lane>, _ factor: Double, to sums: inout MutableSpan<Lane>) {
  precondition(sums.count == row.count * productParts)
  for i in row.indices {
    let term = row[i] * factor
    sums[i * productParts] += term
    sums[i * productParts + 1] += magnitudes(term)
    sums[i * productParts + 2] += term * term
  }
}

/// The same for all rows of a matrix, into sums that begin at zero; for rows so short that their sums stay in registers.
/// - Parameters:
///   - rows: of `width` vectors each.
///   - factors: that of row r is at `first + r·step`.
public func sumScaledRows(
  _ rows: Span<Lane>, width: Int, _ factors: Span<Double>, first: Int, step: Int, to sums: inout MutableSpan<Lane>
) {
  precondition(width > 0 && sums.count == width * productParts)
  let count = rows.count / width
  for i in 0..<width {
    var (value, magnitude, squares) = (Lane.zero, Lane.zero, Lane.zero)
    var (vector, place) = (i, first)
    for _ in 0..<count {
      let term = rows[vector] * factors[place]
      value += term
      magnitude += magnitudes(term)
      squares += term * term
      vector += width
      place += step
    }
    sums[i * productParts] = value
    sums[i * productParts + 1] = magnitude
    sums[i * productParts + 2] = squares
  }
}

/// The sums of the products of each row of a matrix with one more row: `sums[row][part]`.
public func sumProductsOfRows(_ rows: Span<Lane>, _ other: Span<Lane>, to sums: inout MutableSpan<Double>) {
  let width = other.count
  guard width > 0 else { return }
  precondition(sums.count == rows.count / width * productParts)
  for row in 0..<rows.count / width {
    var (value, magnitude, squares) = (Lane.zero, Lane.zero, Lane.zero)
    for i in 0..<width {
      let term = rows[row * width + i] * other[i]
      value += term
      magnitude += magnitudes(term)
      squares += term * term
    }
    sums[row * productParts] = value.sum()
    sums[row * productParts + 1] = magnitude.sum()
    sums[row * productParts + 2] = squares.sum()
  }
}

/// |x| in each lane; NaN stays NaN.
@inline(__always)
private func magnitudes(_ x: Lane) -> Lane { x.replacing(with: -x, where: x .< 0) }
