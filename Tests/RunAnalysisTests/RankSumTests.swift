import RunAnalysis
import Testing

@Suite("The rank-sum test")
struct RankSumTests {
  @Test("Counted out, it has the probabilities of the tables")
  func counted() {
    // All of one above all of the other: two of the C(n+m, n) choices.
    #expect(RankSum.pValue([1, 2, 3], [4, 5, 6]) == 2.0 / 20)
    #expect(RankSum.pValue([4, 5, 6, 7], [1, 2, 3]) == 2.0 / 35)
    // U = 1 has two choices in each tail.
    #expect(RankSum.pValue([1, 2, 4], [3, 5, 6]) == 4.0 / 20)
    #expect(RankSum.pValue([1, 3, 5], [2, 4, 6]) == 14.0 / 20)
    #expect(RankSum.pValue([], [1]) == 1)
    for (n, m) in [(3, 3), (4, 3), (3, 20), (15, 15), (30, 30)] {
      let apart = RankSum.pValue((0..<n).map(Double.init), (n..<(n + m)).map(Double.init))
      #expect(abs(RankSum.smallest(n, m) / apart - 1) < 1e-12)
    }
  }

  /// Samples of these sizes, the second one higher by so much.
  private func pValue(_ n: Int, _ m: Int, shift: Double) -> Double {
    RankSum.pValue((0..<n).map(Double.init), (0..<m).map { Double($0) + shift })
  }

  @Test(
    "Of windows as large as they get, it is what whole numbers give",
    arguments: [
      (15, 5.5, 0.004266184761076634), (30, 8.5, 0.0009747601757597533),
    ])
  func large(count: Int, shift: Double, expected: Double) {
    #expect(abs(pValue(count, count, shift: shift) / expected - 1) < 1e-12)
  }

  @Test("Beyond, and with equal values, it is near what counting gives")
  func normal() {
    // Counted with whole numbers of any size: 0.0436 of 325 pairs.
    #expect(abs(pValue(31, 30, shift: 5.5) / 0.04360124696336777 - 1) < 0.02)
    #expect(RankSum.pValue([1, 1, 1, 1], [1, 1, 1, 1]) == 1)
    #expect(RankSum.pValue([1, 1, 1, 2, 2], [5, 5, 5, 6, 6]) < 0.02)
  }
}
