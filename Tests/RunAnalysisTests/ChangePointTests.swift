import RunAnalysis
import Tensors
import Testing

@Suite struct ChangePointTests {
  private func series(_ levels: [(Double, Int)], seed: UInt64) -> [Double] {
    var generator = SplitMix64(seed: seed)
    return levels.flatMap { level, count in (0..<count).map { _ in level + 0.02 * generator.nextUniform() } }
  }

  @Test func stepsAreFoundWhereTheyAre() {
    #expect(ChangePoints().find(in: series([(1, 20), (1.1, 15)], seed: 1)) == [20])
    #expect(ChangePoints().find(in: series([(1, 12), (1.2, 12), (0.9, 12)], seed: 2)) == [12, 24])
  }

  @Test func levelSeriesAndShortOnesHaveNone() {
    let steps = (0..<40).filter { !ChangePoints().find(in: series([(1, 30)], seed: $0)).isEmpty }.count
    #expect(steps <= 6, "5 % of forty is two; more than six has probability 0.3 %")
    #expect(ChangePoints().find(in: []) == [])
    #expect(ChangePoints().find(in: [1, 2, 3, 4, 5]) == [])
    #expect(ChangePoints().find(in: [Double](repeating: 1, count: 50)) == [])
  }

  @Test func oneOutlierIsNoChange() {
    var values = series([(1, 30)], seed: 3)
    values[14] = 3
    #expect(ChangePoints().find(in: values) == [])
  }
}
