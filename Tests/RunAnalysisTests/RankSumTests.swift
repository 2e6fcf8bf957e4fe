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
    #expect(RankSum.pValue([1, 3, 5], [2, 4, 6]) == 1 || RankSum.pValue([1, 3, 5], [2, 4, 6]) > 0.6)
    #expect(RankSum.pValue([], [1]) == 1)
    for (n, m) in [(3, 3), (4, 3), (3, 20)] {
      let apart = RankSum.pValue((0..<n).map(Double.init), (n..<(n + m)).map(Double.init))
      #expect(abs(RankSum.smallest(n, m) / apart - 1) < 1e-12)
    }
  }

  @Test("Beyond, and with equal values, it is near what counting gives")
  func normal() {
    let (low, high) = ((0..<15).map(Double.init), (0..<15).map { Double($0) + 14.5 })
    let p = RankSum.pValue(low, high)
    #expect(p > 1e-6 && p < 1e-4, "of 15 and 15 apart but for one pair: \(p)")
    #expect(RankSum.pValue([1, 1, 1, 1], [1, 1, 1, 1]) == 1)
    #expect(RankSum.pValue([1, 1, 1, 2, 2], [5, 5, 5, 6, 6]) < 0.02)
  }
}
