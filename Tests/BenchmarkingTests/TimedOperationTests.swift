import Benchmarking
import Engines
import Operations
import Problems
import Results
import TestSupport
import Tensors
import Testing

/// Right when it computes, and wrong in its last element where the clock runs.
private struct WrongWhereTimed: Engine {
  let description = EngineDescription(name: "wrong where timed", version: "1")

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer { try ReferenceEngine().compute(exercise) }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) -> any PreparedOperation { Prepared(exercise) }

  private final class Prepared: PreparedOperation {
    let workspaceBytes = 0
    let summary = "scripted"
    private let exercise: Exercise
    private var sets: [Int: LateOperands] = [:]

    init(_ exercise: Exercise) { self.exercise = exercise }

    func load(_ operands: LateOperands, set: Int) { sets[set] = operands }

    func time(_ run: TimedRun) -> [UInt64] { (0..<run.iterations).map { UInt64(100_000 + $0) } }

    func collect(set: Int) throws(EngineError) -> Answer {
      guard let operands = sets[set] else { throw .failed("set \(set) was not loaded") }
      var answer = try ReferenceEngine().compute(exercise.with(operands))
      guard case .float32(var y) = answer.outputs["y"] else { return answer }
      y.elements[y.count - 1] += 1
      answer.outputs["y"] = .float32(y)
      return answer
    }
  }
}

@Suite struct TimedOperationTests {
  private func plan(_ problems: [String], _ passes: [TimingRequest.TimedPass]) throws -> BenchmarkPlan {
    try BenchmarkPlan(suite(problems, passes))
  }

  private func suite(_ problems: [String], _ passes: [TimingRequest.TimedPass] = [.forward]) -> BenchmarkSuite {
    var suite = BenchmarkSuite(name: "test")
    (suite.problems, suite.passes) = (problems, passes)
    (suite.blocks, suite.sliceMilliseconds) = (2, 0.05)
    return suite
  }

  private func run(_ suite: BenchmarkSuite, _ engine: any Engine) throws -> [BenchmarkWorkload] {
    var section = SampleBenchmark.section()
    section.workloads = []
    let runner = BenchmarkRunner(
      plan: try BenchmarkPlan(suite), suite: suite, engines: [engine], seed: 1,
      nulls: NullEngines(program: "", package: ""))
    try runner.run(&section) { _ in }
    return section.workloads
  }

  /// Small problems of every operation that is drawn and is no whole network: the first of a few draws that is not empty.
  private static let drawn: [String] = OperationRegistry.all.compactMap { operation in
    guard let draw = operation.problemDraw.value else { return nil }
    let problems = (UInt64(3)..<40).lazy.map { draw.problem(seed: $0).problem }
    let found = problems.first { problem in
      (Array(problem.operands.all.values) + Array(problem.outputs.values)).allSatisfy { $0.shape.count > 0 }
    }
    guard let found, !(found is ResNetProblem), !(found is TrainingRunProblem) else { return nil }
    return found.text
  }

  @Test func everyOperationThatIsDrawnIsTimedAndHeldAgainstTheReference() throws {
    let workloads = try run(suite(Self.drawn), ReferenceEngine())
    #expect(workloads.count >= 20 && workloads.count == Set(Self.drawn).count)
    for workload in workloads {
      let contestant = try #require(workload.contestants.first)
      #expect(contestant.status == .timed, "\(workload.name): \(contestant.message)")
      #expect(contestant.samples.count == 2 && workload.compulsoryBytes > 0, "\(workload.name)")
      #expect(workload.operation == workload.problem.split(separator: " ").first.map(String.init))
      let outputs = contestant.audit?.findings.first { $0.rule == .outputs }
      #expect(outputs?.verdict == .holds, "\(workload.name): \(outputs?.evidence ?? "not looked at")")
    }
  }

  @Test func passesAreThoseThatTheOperandsHave() throws {
    let all: [TimingRequest.TimedPass] = [.forward, .backwardData, .backwardWeight]
    let problems = ["relu n1c2h2w2", "linear n2c3 k4", "max_pool2d n1c1h4w4 kernel2", "sgd_step n2c2 t1 lr0.1"]
    #expect(
      try plan(problems, all).items.map { "\($0.subject.problem.text.prefix(4)) \($0.pass.rawValue)" } == [
        "relu forward", "relu backward_data", "line forward", "line backward_data", "line backward_weight",
        "max_ forward", "max_ backward_data", "sgd_ forward",
      ])
    let workloads = try run(suite(["relu n1c2h3w2"], [.backwardData]), ReferenceEngine())
    #expect(workloads.first?.contestants.first?.status == .timed, "\(workloads)")
    // The cotangent and the gradient.
    #expect(workloads.map(\.compulsoryBytes) == [96])
  }

  @Test func whatIsWrongWhereTheClockRunsHasNoTime() throws {
    let workloads = try run(suite(["softmax n3c7"]), WrongWhereTimed())
    let contestant = try #require(workloads.first?.contestants.first)
    #expect(contestant.status == .cheated && contestant.time == nil, "\(contestant)")
    #expect(contestant.failing?.first?.worst?.index == [2, 6])
  }

  @Test func wholeNetworksAreNamedUnderNetworks() {
    let suite = suite(["resnet n1c3h32w32 archcifar_resnet8 classes10"])
    let error = #expect(throws: BenchmarkSuite.Invalid.self) { try BenchmarkPlan(suite) }
    #expect(error?.description.contains("whole_networks") == true)
  }

  @Test func freshProbabilitiesAreSome() throws {
    let item = try #require(
      try plan(["cross_entropy n4c5 probabilities"], [.forward]).items.first)
    let work = WorkloadExercise(item, seed: 5)
    let sets = OperandSets(of: work.exercise, resultBytes: 4, seed: 7)
    let (first, second) = (sets.operands(set: 0, round: 0), sets.operands(set: 0, round: 1))
    #expect(first.inputs["target"] != second.inputs["target"])
    let target = try #require(first.inputs["target"]?.floating(as: Double.self))
    for row in 0..<4 {
      let values = target.elements[row * 5..<row * 5 + 5]
      #expect(values.allSatisfy { $0 > 0 } && abs(values.reduce(0, +) - 1) < 1e-6)
    }
  }

  /// Engines are given what the reference is held with: rounded weights made two engines on a GPU look wrong.
  @Test func whatIsLearntStaysSingle() throws {
    var suite = suite(["batch_norm2d n2c3h4w4 training"])
    suite.dtype = .bfloat16
    let item = try #require(try BenchmarkPlan(suite).items.first)
    let exercise = WorkloadExercise(item, seed: 1).exercise
    #expect(exercise.inputs["x"]?.dtype == .bfloat16)
    for tensor in exercise.parameters.values { #expect(tensor.dtype == .float32) }
    #expect(exercise.parameters.count == 2 && exercise.buffers["running_mean"]?.dtype == .float32)
  }

  /// Otherwise it would be no yardstick beside engines that give all of it.
  @Test func theNullEngineLeavesTheMarkInEveryResult() throws {
    for text in Self.drawn {
      let item = try #require(try plan([text], [.forward]).items.first)
      let exercise = WorkloadExercise(item, seed: 1).exercise
      let prepared = try NullEngine().prepare(exercise, for: TimingRequest(pass: .forward, layout: .nchw, threads: 1))
      try prepared.load(exercise.late, set: 0)
      _ = try prepared.time(TimedRun(visiting: [0]))
      let answer = try prepared.collect(set: 0)
      #expect(Set(answer.paths) == exercise.wanted, "\(text)")
      for path in answer.paths {
        let tensor = try #require(answer[path])
        let type = item.subject.problem.outputs[String(path.dropFirst("outputs/".count))]
        #expect(tensor.shape == type?.shape, "\(text) \(path)")
        #expect(tensor.dtype == .int64 || UnwrittenMark.positions(in: tensor).count == tensor.shape.count)
      }
    }
  }
}
