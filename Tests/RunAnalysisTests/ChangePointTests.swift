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

  /// Old runs do not outvote new ones: the step is as plain behind a hundred runs as behind ten.
  @Test func aLongSeriesHidesNothing() {
    for length in [10, 40, 100, 400] {
      let found = ChangePoints().find(in: series([(1, length), (1.03, 8)], seed: 4))
      #expect(found.contains(length), "\(length): \(found)")
    }
  }

  /// Three runs after a change are too few among many series; ten confirm it.
  @Test func weakChangesAreConfirmedByLaterRuns() throws {
    let finder = ChangePoints()
    let level = (0..<60).map { finder.changes(in: series([(1, 30)], seed: 100 + $0)) }
    func isConfirmed(_ length: Int) throws -> Bool {
      let changes = finder.changes(in: series([(1, 20), (1.2, length)], seed: 5))
      #expect(changes.map(\.position) == [20], "\(length)")
      return try #require(finder.confirmed(level + [changes]).last?.first as Bool?)
    }
    #expect(try !isConfirmed(3))
    #expect(try isConfirmed(10))
    // Looked at alone, three are enough.
    #expect(finder.confirmed([finder.changes(in: series([(1, 20), (1.2, 3)], seed: 5))]) == [[true]])
  }

  /// Of two hundred level series few stand out, and next to none among all of them.
  @Test func manyLevelSeriesAreLevel() {
    let finder = ChangePoints()
    let all = (0..<200).map { finder.changes(in: series([(1, 40)], seed: 1_000 + $0)) }
    #expect(all.count { !$0.isEmpty } <= 20)
    #expect(finder.confirmed(all).flatMap { $0 }.count { $0 } <= 1)
  }
}
