import RunAnalysis
import Testing

@Suite struct StatisticsTests {
  @Test func binomialTailsAreExact() {
    #expect(BinomialTail.atLeast(9, trials: 10) == 11.0 / 1024)
    #expect(BinomialTail.atLeast(0, trials: 10) == 1)
    #expect(BinomialTail.atLeast(11, trials: 10) == 0)
    #expect(BinomialTail.atMost(1, trials: 10) == 11.0 / 1024)
    // SciPy: binom.sf(27, 40, 0.5), binom.sf(6, 12, 0.5), binom.cdf(1000, 2000, 0.5).
    #expect(abs(BinomialTail.atLeast(28, trials: 40) - 0.008294501687487355) < 1e-15)
    #expect(abs(BinomialTail.atLeast(7, trials: 12) - 0.38720703125) < 1e-15)
    #expect(abs(BinomialTail.atMost(1000, trials: 2000) - 0.5089195055729272) < 1e-12)
    let whole = (0...30).reduce(0) { $0 + BinomialTail.probability(of: $1, trials: 30, success: 0.3) }
    #expect(abs(whole - 1) < 1e-14)
  }

  @Test func medianOfOddEvenAndNone() {
    #expect(OrderStatistics.median([3, 1, 2]) == 2)
    #expect(OrderStatistics.median([4, 1, 2, 3]) == 2.5)
    #expect(OrderStatistics.median([Double]()) == nil)
    #expect(OrderStatistics.quantile(0.2, of: [1, 2, 3, 4, 5]) == 1)
    #expect(OrderStatistics.quantile(0.21, of: [1, 2, 3, 4, 5]) == 2)
    #expect(OrderStatistics.quantile(1, of: [1, 2, 3, 4, 5]) == 5)
  }

  /// Ranks from the tables of the sign-test interval: n = 6 needs both extremes, n = 12 the third from each end, n = 40 the
  /// fourteenth.
  @Test(arguments: [(6, 1, 0.96875), (12, 3, 0.96142578125), (40, 14, 0.9615227)])
  func medianIntervalHasTheTabulatedRanks(count: Int, rank: Int, confidence: Double) throws {
    let interval = try #require(OrderStatistics.medianInterval((1...count).map(Double.init)))
    #expect(interval.lower == Double(rank))
    #expect(interval.upper == Double(count + 1 - rank))
    #expect(abs(interval.confidence - confidence) < 1e-5)
  }

  @Test func fiveSamplesGiveNoInterval() { #expect(OrderStatistics.medianInterval([1, 2, 3, 4, 5]) == nil) }

  @Test func signTestCountsSidesOnly() {
    #expect(SignTest.pValue(above: 0, [1, 1e300, 0.001]) == 0.125)
    #expect(SignTest.pValue(above: 0, [0, 0, 0]) == 1)
    #expect(SignTest.pValue(above: 0, [Double]()) == 1)
    #expect(SignTest.pValue(below: 0, [-1, -2, 3]) == 0.5)
    #expect(SignTest.criticalCount(trials: 3, level: 0.05) == nil, "three samples can never fire")
    #expect(SignTest.criticalCount(trials: 5, level: 0.05) == 5)
    #expect(SignTest.criticalCount(trials: 40, level: 0.01) == 28)
  }

  /// The example of Benjamini and Hochberg's paper: 15 tests, four discoveries at 5 %.
  @Test func benjaminiHochbergOfThePaper() {
    let pValues = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
      1.0000,
    ]
    #expect(BenjaminiHochberg.discoveries(pValues).count { $0 } == 4)
    #expect(BenjaminiHochberg.discoveries(pValues.reversed()).suffix(4) == [true, true, true, true])
    // R: p.adjust(c(0.03, 0.5, 0.01, 0.02), "BH")
    let adjusted = BenjaminiHochberg.adjusted([0.03, 0.5, 0.01, 0.02])
    for (found, expected) in zip(adjusted, [0.04, 0.5, 0.04, 0.04]) { #expect(abs(found - expected) < 1e-15) }
    #expect(BenjaminiHochberg.adjusted([]) == [])
  }
}
