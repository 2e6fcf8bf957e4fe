/// How two matrices of 2×2 blocks are multiplied with seven products: Strassen's algorithm, or Winograd's variant of it.
///
/// Product p multiplies Σ left[p][b]·A_b by Σ right[p][b]·B_b, with blocks b in the order 11, 12, 21, 22.
struct StrassenScheme: Sendable {
  let left: [[Double]]
  let right: [[Double]]
  /// The products that each block of the result is added up from; every sign is ±1.
  let results: [[Int]]

  /// Additions in a row, at most, that make an operand of a product or a block of the result.
  static let additions = 3.0
  /// Products that a block of the result is added up from, at most.
  static let summands = 4.0

  /// - Source: Strassen 1969; Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., (23.4).
  static let strassen = StrassenScheme(
    left: [
      [1, 0, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1], [1, 1, 0, 0], [-1, 0, 1, 0], [0, 1, 0, -1],
    ],
    right: [
      [1, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, -1], [-1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [0, 0, 1, 1],
    ],
    results: [[0, 3, 4, 6], [2, 4], [1, 3], [0, 1, 2, 5]])

  /// - Source: Higham, (23.6): seven products and fifteen additions, of which the operands share some.
  static let winograd = StrassenScheme(
    left: [
      [1, 0, 0, 0], [0, 1, 0, 0], [1, 1, -1, -1], [0, 0, 0, 1], [0, 0, 1, 1], [-1, 0, 1, 1], [1, 0, -1, 0],
    ],
    right: [
      [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, -1, -1, 1], [-1, 1, 0, 0], [1, -1, 0, 1], [0, -1, 0, 1],
    ],
    results: [[0, 1], [0, 2, 4, 5], [0, 3, 5, 6], [0, 4, 5, 6]])

  static let all = [strassen, winograd]
}
