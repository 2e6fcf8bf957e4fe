import Results
import RunAnalysis
import Testing
import TestSupport

@Suite struct BenchmarkAnalysisTests {
  private func section() -> BenchmarkSection { SampleBenchmark.section() }

  @Test func figuresFollowFromTheSamples() throws {
    var section = section()
    BenchmarkAnalysis.complete(&section)
    let workload = section.workloads[0]
    let direct = try #require(workload.contestant("direct")?.time)
    #expect(direct.medianNanoseconds == 2_002_500)
    #expect(direct.minimumNanoseconds == 2_000_000)
    #expect(direct.lowerNanoseconds == 2_000_000 && direct.upperNanoseconds == 2_005_000)
    #expect(direct.equivalentGigaflops == 231_211_008 / 2_002_500.0)
    #expect(direct.speedup == 1)
    let winograd = try #require(workload.contestant("winograd4")?.time)
    // 14 × 14 tiles of 36 products: a quarter of the definition's multiplications.
    #expect(winograd.actualGigaflops == winograd.equivalentGigaflops / 4)
    // 100 tiles of F(6×6) on 64 channels: 2·64·64 products, 16·38 and 14·30 flops of transforms for each channel.
    #expect(workload.limitedBy == "compute" && workload.limitNanoseconds == 59_008_000 / 200.0)
    #expect(workload.limitAlgorithm == "winograd6" && winograd.limitFraction == 295_040 / winograd.medianNanoseconds)
    #expect(workload.best == "winograd4" && workload.bestBuiltIn == "winograd4")
    #expect(workload.contestant("idle")?.time == nil)
    let total = try #require(section.totals.first)
    #expect(total.entries.map(\.engine) == ["direct", "winograd4", "peer", "best mix"])
    #expect(total.entries.last?.nanoseconds == 4 * winograd.medianNanoseconds)
    #expect(section.facts.count == 4)
  }

  @Test func analysisOfStoredSamplesChangesNothing() {
    var once = section()
    BenchmarkAnalysis.complete(&once)
    var twice = once
    BenchmarkAnalysis.complete(&twice)
    #expect(once.workloads == twice.workloads && once.totals == twice.totals && once.facts == twice.facts)
  }

  /// The fastest by the medians is not the fastest by the blocks' ratios where the machine drifts between blocks: what is
  /// called best must not be shown as slower than the baseline.
  @Test func bestAndSpeedUpAreOneFigure() throws {
    var section = SampleBenchmark.section(times: [
      // Ratios 1.5 in four of six blocks, though the median of `direct` is the smaller one.
      "direct": [1_500, 1_500, 3_000, 3_000, 1_000, 1_000], "winograd4": [1_000, 1_000, 2_000, 2_000, 4_000, 4_000],
    ])
    BenchmarkAnalysis.complete(&section)
    let workload = section.workloads[0]
    let medians = workload.contestants.compactMap { $0.time?.medianNanoseconds }
    #expect(medians == [1_500, 2_000])
    #expect(workload.best == "winograd4" && workload.contestant("winograd4")?.time?.speedup == 1.5)
    #expect(workload.ties == ["direct"], "two of six blocks say the contrary")
    #expect(workload.bestText == "tie: winograd4, direct")
    #expect(workload.isAmongBest("direct") && !workload.isAmongBest("peer"))
  }

  /// A time that is the engine's word alone is shown, and nothing is concluded from it.
  @Test func claimedTimesNameNobodyFastest() throws {
    var section = SampleBenchmark.audited()
    BenchmarkAnalysis.complete(&section)
    let workload = section.workloads[0]
    #expect(workload.contestant("old")?.time?.speedup == 20)
    #expect(workload.best == "peer" && workload.ties == [] && workload.bestBuiltIn == "direct")
    #expect(!section.facts.contains { $0.contains("old") || $0.contains("cheat") }, "\(section.facts)")
    #expect(section.facts.contains { $0.contains("Against the fastest of peer on each of 1 workloads") })
    #expect(section.facts.contains { $0.contains("On 1 a peer whose times no audit confirmed claims to be faster") })
    let total = try #require(section.totals.first)
    #expect(total.entries.map(\.engine) == ["direct", "peer", "old", "best mix"])
    #expect(total.entries.map(\.claimed) == [nil, nil, 4, nil])
    #expect(throws: Never.self) { try section.validate() }
    section.workloads[0].best = "old"
    #expect(throws: BenchmarkSection.BadFigure.self) { try section.validate() }
  }

  /// What the reader's own engine does is said from its side, and it is no peer of the built-in strategies.
  @Test(
    arguments: [
      (603_000_000, "reaches 0.05 % of the limit", "the fastest other (winograd4) is 603 times as fast."),
      (500_000, "reaches 59 % of the limit", "it is 2.00 times as fast as the fastest other (winograd4)."),
    ] as [(UInt64, String, String)])
  func anEngineOfOnesOwnSpeaksForItself(time: UInt64, reached: String, beside: String) throws {
    var section = SampleBenchmark.section(times: [
      "direct": Array(repeating: 3_000_000, count: 6), "winograd4": Array(repeating: 1_000_000, count: 6),
      "peer": Array(repeating: time, count: 6),
    ])
    BenchmarkAnalysis.complete(&section)
    #expect(section.facts.contains { $0.contains("Against the fastest of peer") })
    let index = try #require(section.engines.firstIndex { $0.name == "peer" })
    section.engines[index].command = "peer=./my-kernel"
    BenchmarkAnalysis.complete(&section)
    #expect(!section.facts.contains { $0.contains("Against the fastest") })
    let fact = try #require(section.facts.first)
    #expect(fact.hasPrefix("peer: "), "\(fact)")
    #expect(fact.contains(reached) && fact.hasSuffix(beside), "\(fact)")
  }

  @Test func claimedTimesAloneHaveNoFastest() throws {
    var section = SampleBenchmark.audited()
    for index in 0..<2 { section.workloads[0].contestants[index].trust = .claimed }
    BenchmarkAnalysis.complete(&section)
    #expect(section.workloads[0].best == nil && section.workloads[0].bestText == "none" && section.facts == [])
    #expect(section.totals.first?.entries.map(\.engine) == ["direct", "peer", "old"])
  }

  @Test func allBlocksOneWayAreNoTie() {
    var section = section()
    BenchmarkAnalysis.complete(&section)
    #expect(section.workloads[0].ties == [] && section.workloads[0].bestText == "winograd4")
  }

  /// An engine that chooses says what it chose in its summary; one that declares several algorithms and says nothing is
  /// given no figure of what it really did.
  @Test(
    arguments: [
      ("auto (winograd4), avx512, forward", 4.0), ("auto (direct), avx512, forward", nil), ("fast", nil),
      ("winograd2", 2.25),
    ] as [(String, Double?)])
  func chosenAlgorithmIsThatOfTheSummary(summary: String, saving: Double?) throws {
    var section = section()
    section.engines[1].info["algorithm"] = "direct im2col winograd2 winograd4"
    section.workloads[0].contestants[1].summary = summary
    BenchmarkAnalysis.complete(&section)
    let time = try #require(section.workloads[0].contestants[1].time)
    #expect(abs((time.actualGigaflops.map { time.equivalentGigaflops / $0 } ?? 0) - (saving ?? 0)) < 1e-12)
    #expect(((time.peakFraction ?? 0) > 1) == (saving == nil), "231 GF/s of the definition under a peak of 200")
  }

  @Test func fiveBlocksHaveNoInterval() {
    var section = section()
    for index in section.workloads[0].contestants.indices
    where section.workloads[0].contestants[index].samples.count > 5 {
      section.workloads[0].contestants[index].samples.removeLast()
    }
    BenchmarkAnalysis.complete(&section)
    #expect(section.workloads[0].contestant("direct")?.time?.lowerNanoseconds == nil)
  }
}
