import Benchmarking
import Engines
import Problems
import Results
import Tensors
import Testing
import TestSupport
import Verification

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

/// Right, and says what it takes. Who asked it to time, and when, is told.
private struct Scripted: Engine {
  let description: EngineDescription
  /// Of one iteration.
  let nanoseconds: UInt64
  /// In how many requests of more than one visit the first visit of a set takes twice as long.
  let slowRequests: Int
  /// The names of those that were asked for more than one visit, in their order.
  let asked: Shared<[String]>

  init(_ name: String, nanoseconds: UInt64 = 1_000_000, slowRequests: Int = 0, asked: Shared<[String]> = Shared([])) {
    description = EngineDescription(name: name, version: "1")
    self.nanoseconds = nanoseconds
    self.slowRequests = slowRequests
    self.asked = asked
  }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer { try ReferenceEngine().compute(exercise) }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) -> any PreparedOperation {
    Prepared(script: self, exercise: exercise)
  }

  private final class Prepared: PreparedOperation {
    let workspaceBytes = 0
    let summary = "scripted"
    private let script: Scripted
    private let exercise: Exercise
    private var requests = 0
    private var sets: [Int: LateOperands] = [:]
    private var visited: Set<Int> = []

    init(script: Scripted, exercise: Exercise) {
      self.script = script
      self.exercise = exercise
    }

    func load(_ operands: LateOperands, set: Int) {
      sets[set] = operands
      visited.remove(set)
    }

    func time(_ run: TimedRun) -> [UInt64] {
      if run.sets.count > 1 {
        requests += 1
        script.asked.withLock { $0.append(script.description.name) }
      }
      return (0..<run.iterations).map { iteration in
        let isFirst = visited.insert(run.sets[iteration % run.sets.count]).inserted
        // No two alike, as a clock has it.
        return (script.nanoseconds + UInt64(iteration)) * (isFirst && requests <= script.slowRequests ? 2 : 1)
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
  /// spend in this process meanwhile is for other rules. All sets are visited in one request, and one is a block's, of one engine alone.
  @Test(arguments: [(slowRequests: 1 + 8, verdict: AuditVerdict.holds), (.max, .violated)])
  func aViolationIsConfirmed(slowRequests: Int, verdict: AuditVerdict) throws {
    let workload = try workload(of: [Scripted("slow at first", slowRequests: slowRequests)], blocks: 8)
    let contestant = try #require(workload.contestants.first)
    let finding = try #require(contestant.audit?.findings.first { $0.rule == .remembers })
    #expect(finding.evidence.contains("further turns"))
    #expect(finding.verdict == verdict)
    #expect(verdict == .holds || contestant.status == .cheated)
  }

  private func workload(of engines: [Scripted], blocks: Int) throws -> BenchmarkWorkload {
    var suite = suite(["conv2d n1c2h4w4 k2r3s3 stride1 pad1"])
    suite.blocks = blocks
    suite.sliceMilliseconds = 20
    var section = SampleBenchmark.section()
    section.workloads = []
    let runner = BenchmarkRunner(
      plan: try BenchmarkPlan(suite), suite: suite, engines: engines, seed: 1,
      nulls: NullEngines(program: "", package: ""))
    try runner.run(&section) { _ in }
    return try #require(section.workloads.first)
  }

  /// Slices are made in parts that alternate; of two contestants each has two turns a block, in both orders. One whose visit takes
  /// fifty times as long has eight visits a slice, four of them of fresh sets, and so four parts, in every other of the eight rounds.
  @Test(arguments: [2, 3])
  func partsAlternate(count: Int) throws {
    let asked = Shared([String]())
    let quick = ["a", "b"].map { Scripted($0, asked: asked) }
    let slow = count == 3 ? [Scripted("slow", nanoseconds: 50_000_000, asked: asked)] : []
    let workload = try workload(of: quick + slow, blocks: 2)
    #expect(workload.contestants.allSatisfy { $0.samples.count == 2 }, "\(workload.contestants.map(\.message))")
    // Before the first block each visits all of its sets once.
    let asks = asked.withLock { Array($0.dropFirst(count)) }
    let turns = count == 2 ? 4 : 2
    let length = count == 2 ? 16 : 20
    try #require(asks.count >= turns * length)
    var orders: [[String]] = []
    for turn in 0..<turns {
      let found = asks[(turn * length)...].prefix(length)
      let order = Array(found.prefix(count))
      #expect(Set(order).count == count)
      let expected = (0..<8).flatMap { round in
        let rotated = order[(round % count)...] + order[..<(round % count)]
        return rotated.filter { $0 != "slow" || round.isMultiple(of: 2) }
      }
      #expect(Array(found) == expected)
      orders.append(order)
    }
    if count == 2 { #expect(orders[1] == orders[0].reversed() && orders[3] == orders[2].reversed()) }
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
