import Benchmarking
import Engines
import Problems
import Results
import Tensors
import Testing
import TestSupport

/// Wrong in one element, and quick.
private struct OffByOne: Engine {
  let description = EngineDescription(name: "off", version: "1")

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    var answer = try ReferenceEngine().compute(exercise)
    guard case .float32(var y) = answer.outputs["y"] else { return answer }
    y.elements[7] += 1
    answer.outputs["y"] = .float32(y)
    return answer
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .failed("a wrong engine was asked for a time")
  }
}

@Suite struct BenchmarkRunnerTests {
  private func suite(_ problems: [String]) -> BenchmarkSuite {
    var suite = BenchmarkSuite(name: "test")
    suite.problems = problems
    suite.blocks = 2
    suite.sliceMilliseconds = 0.1
    return suite
  }

  /// The record says what is wrong as verification does: which element, what it got, what was expected, and the bound.
  @Test func whatIsWrongIsKept() throws {
    let suite = suite(["conv2d n1c2h4w4 k2r3s3 stride1 pad1"])
    var section = SampleBenchmark.section()
    section.workloads = []
    let runner = BenchmarkRunner(
      plan: try BenchmarkPlan(suite), suite: suite, engines: [OffByOne()], seed: 1,
      nulls: NullEngines(program: "", package: ""))
    var saved = 0
    try runner.run(&section) { _ in saved += 1 }
    let contestant = try #require(section.workloads.first?.contestants.first)
    #expect(contestant.status == .wrong && contestant.time == nil && contestant.samples.isEmpty)
    let worst = try #require(contestant.failing?.first?.worst)
    #expect(worst.index == [0, 0, 1, 3] && abs(worst.got - worst.expected - 1) < 1e-5)
    #expect(contestant.failing?.first?.failing == 1)
    #expect(saved >= 2, "once it is due, and at the end")
    #expect(section.complete)
  }

  /// What an engine does not declare it is not asked for. In float64 this one is right, and would be timed.
  @Test func engineInItsType() throws {
    var suite = suite(["conv2d n1c2h4w4 k2r3s3 stride1 pad1"])
    for (dtype, expected) in [(DType.bfloat16, BenchmarkStatus.unsupported), (.float64, .failed)] {
      suite.dtype = dtype
      var section = SampleBenchmark.section()
      section.workloads = []
      let runner = BenchmarkRunner(
        plan: try BenchmarkPlan(suite), suite: suite, engines: [OffByOne()], seed: 1,
        nulls: NullEngines(program: "", package: ""))
      try runner.run(&section) { _ in }
      let workload = try #require(section.workloads.first)
      #expect(workload.contestants.map(\.status) == [expected], "\(workload.contestants)")
      #expect(workload.compulsoryBytes == Double(dtype.byteCount * (32 + 36 + 32)))
    }
  }

  /// Writing a record that grows takes at most a tenth of a run, however long one writing takes.
  @Test func recordsAreWrittenAtBoundedIntervals() {
    var pace = WritePace()
    let start = ContinuousClock.now
    #expect(pace.isDue(at: start))
    pace.wrote(from: start, to: start + .milliseconds(10))
    #expect(!pace.isDue(at: start + .seconds(2)))
    #expect(pace.isDue(at: start + .milliseconds(2_010)))
    pace.wrote(from: start, to: start + .seconds(3))
    #expect(!pace.isDue(at: start + .seconds(32)))
    #expect(pace.isDue(at: start + .seconds(33)))
  }
}
