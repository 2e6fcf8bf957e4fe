import Benchmarking
import Results
import Testing

@Suite struct BenchmarkAnalysisTests {
  private let problem = "conv2d n1c64h56w56 k64r3s3 stride1 pad1"

  private func section() -> BenchmarkSection {
    let machine = MachineRecord(
      cpuModel: "test", cores: 2, instructionSets: [], selectedInstructionSet: "none", l1DataBytes: nil,
      l2Bytes: 2 << 20, l3Bytes: nil, governor: nil, loadBefore: nil)
    func engine(_ name: String, _ isBuiltIn: Bool) -> BenchmarkEngine {
      BenchmarkEngine(name: name, version: "1", isBuiltIn: isBuiltIn, command: name, info: ["algorithm": name])
    }
    var section = BenchmarkSection(
      suite: "test",
      options: .init(blocks: 6, sliceMilliseconds: 20, cold: false, dtype: "float32", baseline: "direct"),
      machine: machine, engines: [engine("direct", true), engine("winograd4", true), engine("peer", false)])
    section.ceilings = [
      CeilingRecord(
        threads: 1, peakGigaflops: 200, l2GigabytesPerSecond: 100, l3GigabytesPerSecond: nil,
        memoryGigabytesPerSecond: 10, frozenConvolutionNanoseconds: 1)
    ]
    section.networks = [
      BenchmarkNetwork(
        name: "net", batch: 1, imageSize: 56,
        layers: [.init(name: "layer1.0.conv1", stage: "layer1", problem: problem, multiplicity: 4)])
    ]
    var workload = BenchmarkWorkload(
      name: "\(problem) forward nchw t1", operation: "conv2d", problem: problem, batch: 1, pass: "forward",
      layout: "nchw", threads: 1, flops: 231_211_008, compulsoryBytes: 4 * (2 * 200_704 + 36_864))
    for (name, base) in [("direct", UInt64(2_000_000)), ("winograd4", 1_000_000), ("peer", 4_000_000)] {
      var contestant = BenchmarkContestant(engine: name, status: .timed)
      contestant.samples = (0..<6).map { DurationSamples([base + $0 * 1_000, base + $0 * 1_000, base * 9]) }
      workload.contestants.append(contestant)
    }
    workload.contestants.append(BenchmarkContestant(engine: "idle", status: .unsupported))
    section.workloads = [workload]
    return section
  }

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
    #expect(workload.limitedBy == "compute" && workload.limitNanoseconds == 231_211_008 / 200.0)
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
