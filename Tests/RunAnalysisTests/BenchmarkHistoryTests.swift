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

  private func day(_ number: Int, _ nanoseconds: UInt64, change: (inout Run) -> Void = { _ in }) -> (String, Run) {
    // No trend: a series that only rises is all changes.
    let times = (0..<6).map { nanoseconds + UInt64(number * 7 % 5) * 10 + UInt64(number) + $0 }
    var run = run(times, started: "2026-01-\(10 + number)")
    change(&run)
    return ("\(number)/run.json", run)
  }

  @Test func aChangeSaysWhatElseIsAnother() throws {
    let runs = (0..<16).map { number in
      day(number, number < 8 ? 1_000_000 : 1_500_000) { run in
        run.provenance.gitCommit = number < 8 ? "old" : "new"
        run.benchmark?.engines[0].version = number < 8 ? "1" : "2"
        run.benchmark?.engines.append(
          .init(name: "idle", version: "\(number)", isBuiltIn: true, command: "idle", info: [:]))
      }
    }
    let section = BenchmarkHistory.section(directory: "x", runs: runs, skipped: [])
    let moved = try #require(section.moved.first)
    #expect(section.moved.count == 1 && moved.change.position == 8 && moved.change.isConfirmed)
    #expect(moved.series.changePoints == [8])
    #expect(abs(moved.change.ratio - 1.5) < 0.001)
    // Of an engine that was not timed here the version is of no interest.
    let differences = moved.change.differences
    #expect(differences.contains("commit: old and new") && !differences.contains { $0.contains("idle") })
    #expect(differences.contains { $0.hasPrefix("version of direct: 1") })
    #expect(section.runs?.count == 16 && section.unknown?.isEmpty == true)
  }

  @Test func whatTheLastRunLacksIsNamed() throws {
    let gone = day(2, 1_000) { run in
      run.benchmark?.workloads[0].contestants[0].time = nil
      run.benchmark?.workloads[0].contestants[0].status = .failed
      run.benchmark?.workloads[0].contestants[0].message = "it crashed"
    }
    let other = run([1, 2, 3, 4, 5, 6], started: "2026-01-12", problem: "conv2d n1c16h6w6 k16r3s3")
    let runs = [day(0, 1_000), day(1, 1_000), gone, ("2/other/run.json", other)]
    let vanished = try #require(BenchmarkHistory.section(directory: "x", runs: runs, skipped: []).vanished)
    #expect(vanished.count == 1)
    let name = "\(SampleBenchmark.problem) forward nchw t1 direct"
    #expect(vanished.first?.hasPrefix("\(name): timed last in 1/run.json") == true)
  }
}
