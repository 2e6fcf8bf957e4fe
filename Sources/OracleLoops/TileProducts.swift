// The inner loops of the bounds of bilinear algorithms such as Winograd's: eight tiles at once, one in each lane, and the same bits on
// every CPU. Safe Swift with its checks, as everything here.

/// half[i][j] = Σ_k matrix[i][k]·middle[k][j].
/// - Requires: `rows` rows in the matrix, as many columns there as rows in the middle.
public func multiplyFromLeft(
  _ matrix: Span<Double>, rows: Int, _ middle: Span<Lane>, to half: inout MutableSpan<Lane>
) {
  let inner = matrix.count / rows
  let columns = middle.count / inner
  precondition(half.count == rows * columns)
  for i in 0..<rows {
    for j in 0..<columns {
      var sum = Lane.zero
      for k in 0..<inner { sum += middle[k * columns + j] * matrix[i * inner + k] }
      half[i * columns + j] = sum
    }
  }
}

/// result[i][l] = Σ_j half[i][j]·right[l][j].
/// - Requires: `rows` rows in the half, as many columns there as in the right matrix.
public func multiplyByTransposed(
  _ half: Span<Lane>, rows: Int, _ right: Span<Double>, to result: inout MutableSpan<Lane>
) {
  let columns = half.count / rows
  let count = right.count / columns
  precondition(result.count == rows * count)
  for i in 0..<rows {
    for l in 0..<count {
      var sum = Lane.zero
      for j in 0..<columns { sum += half[i * columns + j] * right[l * columns + j] }
      result[i * count + l] = sum
    }
  }
}

/// What an operand's tile has at a point, in this order: its value f, its magnitude and its variance.
public let transformedParts = 3

/// What the sums over c of a tile have at a point, in this order: Σ f·d, the variance that the transforms bring, Σ (f·d)², and Σ of
/// the magnitudes' products.
public let sumParts = 4

/// The sums over c at one point, of eight filters with each of some tiles.
///
///     Σ f·d,   Σ (var(f)·d² + f²·var(d)),   Σ (f·d)²,   Σ mag(f)·mag(d)
///
/// - Parameters:
///   - filters: `[c][part]`.
///   - tiles: `[tile][c][part]`.
///   - sums: `[tile][part]`.
public func sumPointProducts(_ filters: Span<Lane>, _ tiles: Span<Double>, to sums: inout MutableSpan<Lane>) {
  let length = filters.count
  guard length > 0 else { return }
  precondition(tiles.count % length == 0 && sums.count == tiles.count / length * sumParts)
  for tile in 0..<tiles.count / length {
    var (product, variance, squares, magnitude) = (Lane.zero, Lane.zero, Lane.zero, Lane.zero)
    let first = tile * length
    var place = 0
    while place < length {
      let (f, d) = (filters[place], tiles[first + place])
      let (fSquare, dSquare) = (f * f, d * d)
      product += f * d
      magnitude += filters[place + 1] * tiles[first + place + 1]
      variance += filters[place + 2] * dSquare + fSquare * tiles[first + place + 2]
      squares += fSquare * dSquare
      place += transformedParts
    }
    sums[tile * sumParts] = product
    sums[tile * sumParts + 1] = variance
    sums[tile * sumParts + 2] = squares
    sums[tile * sumParts + 3] = magnitude
  }
}
