import Operations
import Tensors
import Testing

/// The inner loops of the bounds of sums: every compilation gives the same bits, and each sum is that of its terms in their order.
/// What bilinear bounds are made of is held to its formula in `WinogradBoundTests`, the products of the oracle in
/// `BlockedConv2dTests`.
@Suite struct OracleLoopsTests {
  private typealias Lane = OracleLoops.Lane

  /// Rows as short as those whose sums stay in registers, and longer.
  @Test(arguments: [1, 3, 8, 21])
  func `sums of scaled rows`(width: Int) {
    let (count, step) = (13, 3)
    let rows = lanes(count * width, seed: 1)
    let factors = numbers(2 + count * step, seed: 2)
    var expected = [Lane](repeating: .zero, count: 3 * width)
    for row in 0..<count {
      for i in 0..<width {
        for lane in 0..<8 {
          let term = rows[row * width + i][lane] * factors[2 + row * step]
          expected[3 * i][lane] += term
          expected[3 * i + 1][lane] += abs(term)
          expected[3 * i + 2][lane] += term * term
        }
      }
    }
    for loops in OracleLoops.available {
      // The one writes the sums whatever was there, the other adds to them.
      var together = [Lane](repeating: Lane(repeating: .nan), count: 3 * width)
      var oneByOne = [Lane](repeating: .zero, count: 3 * width)
      do {
        var target = together.mutableSpan
        loops.sumScaledRows(rows.span, width: width, factors.span, first: 2, step: step, to: &target)
      }
      do {
        var target = oneByOne.mutableSpan
        for row in 0..<count {
          loops.addScaledRow(
            rows.span.extracting(row * width..<(row + 1) * width), factors[2 + row * step], to: &target)
        }
      }
      #expect(together == expected, "\(loops)")
      #expect(oneByOne == expected, "\(loops)")
    }
  }

  @Test(arguments: [1, 3, 8, 21])
  func `sums of products of rows`(width: Int) {
    let count = 5
    let (rows, other) = (lanes(count * width, seed: 3), lanes(width, seed: 4))
    var all: [[Double]] = []
    for loops in OracleLoops.available {
      var sums = [Double](repeating: 0, count: 3 * count)
      do {
        var target = sums.mutableSpan
        loops.sumProductsOfRows(rows.span, other.span, to: &target)
      }
      all.append(sums)
    }
    for sums in all { #expect(sums == all[0]) }
    for row in 0..<count {
      let terms = (0..<width).flatMap { i in (0..<8).map { rows[row * width + i][$0] * other[i][$0] } }
      // Two sums of n terms in two orders are each within n·u·Σ|t| of the exact one.
      let u = Double.ulpOfOne / 2
      for (part, values) in [terms, terms.map(abs), terms.map { $0 * $0 }].enumerated() {
        let allowed = 2.0 * Double(values.count) * u * values.reduce(0) { $0 + abs($1) }
        #expect(abs(all[0][3 * row + part] - values.reduce(0, +)) <= allowed)
      }
    }
  }

  private func numbers(_ count: Int, seed: UInt64) -> [Double] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in Double.random(in: -1...1, using: &random) }
  }

  private func lanes(_ count: Int, seed: UInt64) -> [Lane] {
    let values = numbers(8 * count, seed: seed)
    return (0..<count).map { i in Lane(values[8 * i..<8 * i + 8]) }
  }
}
