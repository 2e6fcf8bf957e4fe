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

/// Right, and says that the first visit of a set takes twice as long as later ones: in its first slices, or for good.
private struct SlowAtFirst: Engine {
  let description = EngineDescription(name: "slow at first", version: "1")
  /// How many slices of more than one visit it is slow in.
  let slices: Int

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer { try ReferenceEngine().compute(exercise) }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) -> any PreparedOperation {
    Prepared(exercise: exercise, slices: slices)
  }

  private final class Prepared: PreparedOperation {
    let workspaceBytes = 0
    let summary = "scripted"
    private let exercise: Exercise
    private var slices: Int
    private var sets: [Int: LateOperands] = [:]
    private var visited: Set<Int> = []

    init(exercise: Exercise, slices: Int) {
      self.exercise = exercise
      self.slices = slices
    }

    func load(_ operands: LateOperands, set: Int) {
      sets[set] = operands
      visited.remove(set)
    }

    func time(_ run: TimedRun) -> [UInt64] {
      if run.sets.count > 1 { slices -= 1 }
      return (0..<run.iterations).map { iteration in
        let isFirst = visited.insert(run.sets[iteration % run.sets.count]).inserted
        // No two alike, as a clock has it.
        return UInt64(1_000_000 + iteration) * (isFirst && slices >= 0 ? 2 : 1)
      }
    }

    func collect(set: Int) throws(EngineError) -> Answer {
      guard let operands = sets[set] else { throw .failed("set \(set) was not loaded") }
      return try ReferenceEngine().compute(exercise.with(operands))
    }
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

  /// What a few blocks hold against an engine decides nothing before further turns say the same. The CPU time that other tests
  /// spend in this process meanwhile is for other rules.
  @Test(arguments: [(slices: 9, verdict: AuditVerdict.holds), (.max, .violated)])
  func aViolationIsConfirmed(slices: Int, verdict: AuditVerdict) throws {
    var suite = suite(["conv2d n1c2h4w4 k2r3s3 stride1 pad1"])
    suite.blocks = 8
    suite.sliceMilliseconds = 20
    var section = SampleBenchmark.section()
    section.workloads = []
    let runner = BenchmarkRunner(
      plan: try BenchmarkPlan(suite), suite: suite, engines: [SlowAtFirst(slices: slices)], seed: 1,
      nulls: NullEngines(program: "", package: ""))
    try runner.run(&section) { _ in }
    let contestant = try #require(section.workloads.first?.contestants.first)
    let finding = try #require(contestant.audit?.findings.first { $0.rule == .remembers })
    #expect(finding.evidence.contains("further turns"))
    #expect(finding.verdict == verdict)
    #expect(verdict == .holds || contestant.status == .cheated)
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
