import Problems
import Results
import RunAnalysis
import Testing
import TestSupport

@Suite struct BenchmarkHistoryTests {
  private func run(_ times: [UInt64], started: String, problem: String = SampleBenchmark.problem) -> Run {
    var section = SampleBenchmark.section(times: ["direct": times], named: problem)
    BenchmarkAnalysis.complete(&section)
    return SampleBenchmark.run(section, started: started)
  }

  /// A merged run starts with its earliest part, so equal starting times would not tell.
  @Test func aRunAndItsPartsCountOnce() throws {
    let times: [UInt64] = [1, 2, 3, 4, 5, 6]
    let runs = [
      ("a/parts/bench/run.json", run(times, started: "2026-01-01T00:02:00Z")),
      ("a/run.json", run(times, started: "2026-01-01T00:00:00Z")),
      ("b/parts/bench/run.json", run([7, 8, 9, 10, 11, 12], started: "2026-01-02T00:00:00Z")),
      ("b/run.json", run([7, 8, 9, 10, 11, 12], started: "2026-01-02T00:00:00Z")),
      // The same median, and another measurement.
      ("c/run.json", run([0, 2, 3, 4, 5, 7], started: "2026-01-03T00:00:00Z")),
    ]
    let section = BenchmarkHistory.section(directory: "x", runs: runs, skipped: [])
    let points = try #require(section.series.first).points
    #expect(section.series.count == 1)
    #expect(points.map(\.run) == ["a/run.json", "b/run.json", "c/run.json"])
  }

  @Test func claimedTimesAreASeriesOfTheirOwn() {
    var claimed = run([7, 8, 9, 10, 11, 12], started: "2")
    claimed.benchmark?.workloads[0].contestants[0].trust = .claimed
    let runs = [("a", run([1, 2, 3, 4, 5, 6], started: "1")), ("b", claimed)]
    let series = BenchmarkHistory.section(directory: "x", runs: runs, skipped: []).series
    #expect(series.map(\.engine) == ["direct", "direct?"] && series.map(\.points.count) == [1, 1])
  }

  @Test func filtersKeepWholeNamesThatMatch() {
    let runs = [
      ("a", run([1, 2, 3, 4, 5, 6], started: "1")),
      ("b", run([1, 2, 3, 4, 5, 6], started: "2", problem: "conv2d n1c16h6w6 k16r3s3")),
    ]
    func names(_ patterns: [String]) -> [String] {
      BenchmarkHistory.section(
        directory: "x", runs: runs, skipped: [], filters: patterns.map { NamePattern($0) }
      ).series.map(\.benchmark)
    }
    #expect(names([]).count == 2)
    #expect(names(["*k16r3s3*"]) == ["conv2d n1c16h6w6 k16r3s3 forward nchw t1"])
    #expect(names(["nothing*"]).isEmpty)
  }
}
