import Operations
import Problems
import Tensors

/// What a step of training is of, as an exercise asks for it: `resnet` in training mode with a target, and an optimiser among its
/// attributes.
package struct TrainingExercise {
  package let network: ResNetProblem
  package let optimizer: OptimizerOptions

  /// - Throws: `EngineError`: `unsupported` for anything but a network in training mode in float32; a refusal of an optimiser that
  ///   there is not.
  package init(_ exercise: Exercise) throws(EngineError) {
    guard exercise.dtype == .float32 else { throw .unsupported("steps of training are timed in float32") }
    let problem: (any OperationProblem)?
    do throws(ProblemError) {
      problem = try exercise.problem()
      optimizer = try OptimizerOptions(
        name: exercise.attributes.string("optimizer", default: nil), attributes: exercise.attributes)
    } catch { throw EngineError(error) }
    guard let network = problem as? ResNetProblem, network.training, network.hasTarget else {
      throw .unsupported("a step of training is one of a network in training mode with a target, not \(exercise.name)")
    }
    self.network = network
  }

  /// The definition's first step, from the exercise's values.
  /// - Throws: `EngineError` where a tensor of the network is missing.
  package func step(_ exercise: Exercise) throws(EngineError) -> TrainingStep<Float> {
    var state = NetworkState<Float>(zerosOf: network.plan)
    do throws(StateDictMismatch) {
      try state.load(exercise.parameters.merging(exercise.buffers) { parameter, _ in parameter }, into: network.plan)
    } catch { throw .failed("\(error)") }
    return TrainingStep(state: state, optimizer: Optimizer(optimizer))
  }
}

/// Steps of training, ready to be timed: the values go on from step to step, over the mini-batches of the sets in the order in which
/// they are visited, and each set keeps the loss of its step.
package final class TrainingOperation: PreparedOperation {
  /// Does one step on a mini-batch and returns the loss before it.
  package typealias Step = (LabelledImages<Float>) throws(EngineError) -> Double

  private final class MiniBatch {
    var given: LabelledImages<Float>
    var loss = UnwrittenMark.float32

    init(_ given: LabelledImages<Float>) { self.given = given }
  }

  package let workspaceBytes: Int
  package let summary: String
  private let network: ResNetProblem
  private let step: Step
  private var sets: [Int: MiniBatch] = [:]
  private var flush = CacheFlush()

  /// - Parameters:
  ///   - network: whose images and labels are loaded.
  ///   - workspaceBytes: see ``PreparedOperation``.
  ///   - summary: see ``PreparedOperation``.
  ///   - step: what is timed.
  package init(_ network: ResNetProblem, workspaceBytes: Int = 0, summary: String, step: @escaping Step) {
    self.network = network
    self.workspaceBytes = workspaceBytes
    self.summary = summary
    self.step = step
  }

  package func load(_ operands: LateOperands, set: Int) throws(EngineError) {
    let shape = network.inputShape
    guard case .float32(let images)? = operands.inputs["x"], images.shape == shape else {
      throw .failed("inputs/x: expected float32 of shape \(shape), found \(Self.described(operands.inputs["x"]))")
    }
    guard let labels = operands.inputs["target"]?.integers, labels.shape == [shape[0]] else {
      throw .failed(
        "inputs/target: expected int64 of shape \(Shape(shape[0])), found \(Self.described(operands.inputs["target"]))")
    }
    let batch = LabelledImages(images: images, labels: labels)
    if let known = sets[set] { (known.given, known.loss) = (batch, UnwrittenMark.float32) }
    sets[set] = sets[set] ?? MiniBatch(batch)
  }

  private static func described(_ tensor: AnyTensor?) -> String {
    tensor.map { "\($0.dtype.rawValue) of shape \($0.shape)" } ?? "none"
  }

  package func time(_ timed: TimedRun) throws(EngineError) -> [UInt64] {
    var visited: [MiniBatch] = []
    for set in timed.sets {
      guard let batch = sets[set] else { throw notLoaded(set) }
      batch.loss = UnwrittenMark.float32
      visited.append(batch)
    }
    var durations: [UInt64] = []
    for iteration in 0..<timed.iterations {
      let batch = visited[iteration % visited.count]
      if timed.cold { flush.flush() }
      let start = ContinuousClock.now
      let loss = try step(batch.given)
      durations.append(UInt64((ContinuousClock.now - start).nanoseconds))
      batch.loss = Float(loss)
    }
    return durations
  }

  package func collect(set: Int) throws(EngineError) -> Answer {
    guard let batch = sets[set] else { throw notLoaded(set) }
    return Answer(outputs: ["loss": .float32(Tensor(shape: [], elements: [batch.loss]))])
  }
}
