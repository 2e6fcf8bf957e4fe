import Benchmarking
import Engines
import Operations
import Problems
import Results
import StrategyEngines
import Synchronization
import Tensors
import TestSupport
import Testing

/// Answers a wrong loss at one step of its blocks.
private final class OffAt: Engine {
  let step: Int
  let by: Float
  /// Blocks that are right.
  private let afterBlocks: Int
  private let prepared = Mutex(0)
  let description = EngineDescription(name: "off", version: "1", operations: ["resnet"])

  init(step: Int, by: Float, afterBlocks: Int = 0) { (self.step, self.by, self.afterBlocks) = (step, by, afterBlocks) }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer { throw .failed("it is asked for steps alone") }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    let number = prepared.withLock { count in
      count += 1
      return count
    }
    let right = try ReferenceEngine().prepare(exercise, for: timing)
    return number > afterBlocks ? Prepared(right, step: step, by: by) : right
  }

  private final class Prepared: PreparedOperation {
    let base: any PreparedOperation
    let step: Int
    let by: Float
    var workspaceBytes: Int { base.workspaceBytes }
    var summary: String { base.summary }

    init(_ base: any PreparedOperation, step: Int, by: Float) { (self.base, self.step, self.by) = (base, step, by) }

    func load(_ operands: LateOperands, set: Int) throws(EngineError) { try base.load(operands, set: set) }
    func time(_ run: TimedRun) throws(EngineError) -> [UInt64] { try base.time(run) }
    func collect(set: Int) throws(EngineError) -> Answer {
      var answer = try base.collect(set: set)
      guard set == step, let loss = answer.outputs["loss"]?.floating(as: Float.self) else { return answer }
      answer.outputs["loss"] = .float32(loss.map { $0 + by })
      return answer
    }
  }
}

@Suite struct TrainingBenchmarkTests {
  private func contestants(_ engines: [any Engine], blocks: Int = 1) throws -> [BenchmarkContestant] {
    var suite = BenchmarkSuite(name: "test")
    suite.timesWholeNetworks = true
    suite.networks = ["cifar_resnet8"]
    suite.passes = [.trainingStep]
    suite.batches = [2]
    suite.blocks = blocks
    var section = SampleBenchmark.section()
    section.workloads = []
    let runner = BenchmarkRunner(
      plan: try BenchmarkPlan(suite), suite: suite, engines: engines, seed: 1,
      nulls: NullEngines(program: "", package: ""))
    try runner.run(&section) { _ in }
    return try #require(section.workloads.first).contestants
  }

  /// Two ways to compute the same steps, both held against the float64 run. One block each: what more slices would say of CPU time
  /// is of other tests in this process, too.
  @Test(arguments: ["reference", "execution"])
  func stepsAreVerifiedAndTimed(name: String) throws {
    let engine = try #require(BuiltInEngines.named(name))
    let contestant = try #require(try contestants([engine]).first)
    #expect(contestant.status == .timed, "\(contestant.message)")
    #expect(try #require(contestant.worstRatio) < 1)
    #expect(contestant.samples.map(\.nanoseconds.count) == [TrainedNetwork.reported.count])
    let outputs = try #require(contestant.audit?.findings.first { $0.rule == .outputs })
    #expect(outputs.verdict == .holds && outputs.evidence.contains("1 collected sets"))
  }

  @Test(arguments: 0..<TrainedNetwork.steps)
  func aWrongLossIsNamed(step: Int) throws {
    let contestant = try #require(try contestants([OffAt(step: step, by: 0.5)]).first)
    #expect(contestant.status == .wrong && contestant.samples.isEmpty)
    let worst = try #require(contestant.failing?.first)
    #expect(worst.path == "outputs/loss" && worst.worst?.index == [step])
  }

  /// One that is right in the first block: a loss that is no number is a fault in any other, looked at or not.
  @Test func aLossIsANumber() throws {
    let contestant = try #require(try contestants([OffAt(step: 1, by: .nan, afterBlocks: 1)]).first)
    #expect(contestant.status == .cheated && contestant.message.contains("the loss of step 2 of a block is nan"))
  }

  /// And in a block that is looked at, one that is wrong: with a single block, that one.
  @Test func aBlockIsLookedAt() throws {
    let contestant = try #require(try contestants([OffAt(step: 3, by: 0.5, afterBlocks: 1)]).first)
    #expect(contestant.status == .cheated && contestant.message.contains("outputs/loss is wrong"))
  }

  @Test func whoDoesNoStepsIsNotSupported() throws {
    let direct = try #require(BuiltInEngines.named("direct"))
    let found = try contestants([direct])
    #expect(found.map(\.status) == [.unsupported])
  }

  @Test(arguments: [
    ("resnet18", 8, 4), ("resnet18", 32, 4), ("resnet18", 6, 3), ("resnet50", 32, 2), ("resnet152", 8, 2),
    ("resnet152", 1, 1), ("cifar_resnet8", 32, 32),
  ])
  func distinctImagesDivideTheBatch(name: String, batch: Int, distinct: Int) throws {
    let architecture = try ResNetArchitecture(named: name)
    let side = architecture.usualImageSide
    let network = try TrainedNetwork(architecture, inputShape: Shape(batch, 3, side, side))
    #expect(network.distinctImages == distinct)
  }

  /// What the reference leaves out: images that are there equally often change no mean.
  @Test func repeatedImagesAreTheSameStep() throws {
    let architecture = try ResNetArchitecture(named: "cifar_resnet8")
    let images = Tensor<Double>(
      shape: [2, 3, 32, 32],
      elements: Tensor<Float>(splitMix64Uniform: [2, 3, 32, 32], seed: 1, low: -1, high: 1).elements.map { Double($0) })
    let distinct = LabelledImages(images: images, labels: Tensor(shape: [2], elements: [3, 7]))
    let losses = try [[0, 1], [1, 0, 0, 1, 1, 0]].map { rows in
      let network = try TrainedNetwork(architecture, inputShape: Shape(rows.count, 3, 32, 32))
      var step = TrainingStep(
        state: Initialization(seed: 1).state(of: network.problem.plan, as: Double.self),
        optimizer: Optimizer(network.optimizer))
      return try (0..<3).map { _ in try step.run(network.problem.plan, distinct.batch(rows)).loss }
    }
    for (first, second) in zip(losses[0], losses[1]) { #expect(abs(first - second) < 1e-9 * abs(first)) }
    #expect(abs(losses[0][0] - losses[0][2]) > 1e-2, "a step changes the loss: \(losses[0])")
  }
}
