import Problems

/// Additions and multiplications of Winograd's transforms F(m, 3), in one dimension.
///
/// Counted as Lavin and Gray do ("Fast Algorithms for Convolutional Neural Networks", 2016, section 4): the two-dimensional
/// transform is nested, so a matrix of a rows and b columns that is applied from both sides costs a + b of its
/// one-dimensional ones, and the rows of the points p and −p share their even and their odd part. F(2×2) comes to their 32
/// flops for the input and 24 for the output of a tile. The points are the cheapest: 0, ±1, ±2, ±½.
///
/// The work of a transposed matrix follows by transposition (Tellegen): as many multiplications, and one addition more for
/// each row that the matrix has more than columns.
package struct WinogradTransformFlops: Sendable {
  /// m, outputs of a tile.
  package let tile: Int
  /// Bᵀ: n inputs, n values.
  package let input: Double
  /// Aᵀ: n values, m outputs.
  package let output: Double
  /// A: m values of the cotangent, n values; the weight gradient's other operand.
  package let cotangent: Double
  /// Gᵀ: n values, 3 weights; the weight gradient's result.
  package let weightGradient: Double

  /// n = m + 2, values of a tile.
  var values: Int { tile + 2 }

  package static let all: [WinogradTransformFlops] = [2, 4, 6].compactMap { tile in
    let points = [0, 1, -1, 2, -2].map { Rational($0) } + [Rational(1, 2), Rational(-1, 2)]
    return (try? WinogradMatrices(outputTile: tile, points: Array(points.prefix(tile + 1)))).map { Self($0) }
  }

  init(_ matrices: WinogradMatrices) {
    let a = (0..<matrices.inputTile).map { row in matrices.outputTransform.map { $0[row] } }
    tile = matrices.outputTile
    input = Self.flops(matrices.inputTransform)
    cotangent = Self.flops(a)
    output = cotangent + Double(matrices.inputTile - matrices.outputTile)
    weightGradient =
      Self.flops(matrices.weightTransform) + Double(matrices.inputTile - matrices.kernelSize)
  }

  /// Of one matrix by one vector.
  private static func flops(_ matrix: [[Rational]]) -> Double {
    var total = 0
    var rest = matrix
    while let row = rest.popLast() {
      let parts = [0, 1].map { parity in
        row.enumerated().filter { $0.offset % 2 == parity }.map(\.element).filter { $0 != .zero }
      }
      let mirrored = row.enumerated().map { $0.offset % 2 == 0 ? $0.element : -$0.element }
      if !parts[0].isEmpty, !parts[1].isEmpty, let partner = rest.firstIndex(of: mirrored) {
        rest.remove(at: partner)
        // Sum and difference of the parts.
        total += flops(sum: parts[0]) + flops(sum: parts[1]) + 2
      } else {
        total += flops(sum: parts[0] + parts[1])
      }
    }
    return Double(total)
  }

  /// Of Σ c·x: those with equal coefficients are added first, so that each magnitude but 1 is one multiplication.
  private static func flops(sum coefficients: [Rational]) -> Int {
    var magnitudes: [Rational] = []
    for coefficient in coefficients where !magnitudes.contains(coefficient.magnitude) {
      magnitudes.append(coefficient.magnitude)
    }
    return max(0, coefficients.count - 1) + magnitudes.count { $0 != .one }
  }
}
