import Convolution
import Engines
import Execution
import Operations
import Problems
import Results
import Tensors

/// Whole networks at speed as an engine: networks and blocks in evaluation and in training, forward and backward, training runs,
/// and the layers that ``Execution`` computes on their own.
public struct ExecutionEngine: Engine {
  private let strategies: NetworkStrategies
  public let description: EngineDescription

  /// - Parameters:
  ///   - name: `execution`, or what tells another choice of strategies apart.
  ///   - strategies: how convolutions are computed.
  ///   - algorithms: which error bounds hold for them.
  public init(_ name: String, _ strategies: NetworkStrategies, algorithms: [String]) {
    self.strategies = strategies
    let sums = OperationAlgorithm(Set(algorithms.map { SumAlgorithm(named: $0) }))
    description = EngineDescription(
      name: name, version: "1",
      operations: [
        ResNetProblem.operation, BasicBlockProblem.operation, BottleneckProblem.operation, Conv2dProblem.operation,
        LinearProblem.operation, MaxPool2dProblem.operation, AdaptiveAvgPool2dProblem.operation,
        AvgPool2dProblem.operation, TrainingRunProblem.operation,
      ], dtypes: [.float32], passes: [.forward, .backward], omits: ["outputs/indices"], isBuiltIn: true,
      algorithms: Dictionary(uniqueKeysWithValues: Self.convolving.map { ($0, sums) }),
      info: [EngineMessages.algorithmKey: algorithms.joined(separator: " ")], trust: .host)
  }

  /// What has convolutions in it.
  private static let convolving = [
    Conv2dProblem.operation, BasicBlockProblem.operation, BottleneckProblem.operation, ResNetProblem.operation,
    TrainingRunProblem.operation,
  ]

  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    let problem = try Self.problem(of: exercise)
    if let run = problem as? TrainingRunProblem { return try AskedTrainingRun.answer(exercise, run, strategies) }
    let layers = (problem as? any LayeredProblem)?.layers ?? []
    if exercise.passes.contains(.backward) || AskedTraining.usesBatchStatistics(layers) {
      return try AskedTraining(exercise, problem, strategies).answer()
    }
    let wanted = exercise.wanted
    let asked = try AskedNetwork(exercise, problem, strategies, threads: exercise.threads) {
      wanted.isEmpty || wanted.contains("outputs/\($0)")
    }
    var answer = try asked.answer(try asked.results(of: exercise.late))
    // Evaluation leaves running statistics as they are.
    for (name, tensor) in exercise.buffers where wanted.isEmpty || wanted.contains("buffers_after/\(name)") {
      answer.buffersAfter[name] = tensor
    }
    return answer
  }

  private static func problem(of exercise: Exercise) throws(EngineError) -> any OperationProblem {
    guard exercise.dtype == .float32 else { throw .unsupported("networks are computed in float32") }
    let found: (any OperationProblem)?
    do throws(ProblemError) { found = try exercise.problem() } catch { throw EngineError(error) }
    guard let found else { throw .unsupported("no network here computes \(exercise.operation)") }
    return found
  }

  public func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    guard timing.layout == .nchw else {
      throw .unsupported("\(description.name) takes NCHW images, and keeps blocks of channels in between")
    }
    if timing.pass == .trainingStep { return try training(exercise, threads: timing.threads) }
    guard timing.pass == .forward || timing.pass == .inference else {
      throw .unsupported(
        "\(description.name) computes networks in evaluation and steps of training, not \(timing.pass.rawValue)")
    }
    let wanted = exercise.wanted
    let asked = try AskedNetwork(exercise, Self.problem(of: exercise), strategies, threads: timing.threads) {
      wanted.contains("outputs/\($0)")
    }
    return ExecutionOperation(asked)
  }

  /// A network and an optimiser, ready for the first step.
  private func training(_ exercise: Exercise, threads: Int) throws(EngineError) -> any PreparedOperation {
    let asked = try TrainingExercise(exercise)
    do throws(ExecutionError) {
      let network = try TrainingNetwork(
        asked.network.plan, weights: exercise.parameters.merging(exercise.buffers) { parameter, _ in parameter },
        threads: threads, strategies: strategies)
      let optimizer = try NetworkOptimizer(asked.optimizer, threads: threads)
      return TrainingOperation(
        asked.network, workspaceBytes: network.activationBytes + network.gradientBytes,
        summary: "\(network.instructionSet.rawValue), \(network.strategySummary)"
      ) { (batch) throws(EngineError) in
        do throws(ExecutionError) {
          return try network.step(batch.images, labels: batch.labels, optimizer)
        } catch { throw AskedNetwork.translated(error) }
      }
    } catch { throw AskedNetwork.translated(error) }
  }
}

/// A network that an exercise asks for, prepared on its weights.
struct AskedNetwork {
  let network: InferenceNetwork
  private let target: Tensor<Int64>?
  private let wantsLoss: Bool
  private let shape: Shape

  init(
    _ exercise: Exercise, _ problem: any OperationProblem, _ strategies: NetworkStrategies, threads: Int,
    wants: (String) -> Bool
  ) throws(EngineError) {
    let weights = exercise.parameters.merging(exercise.buffers) { parameter, _ in parameter }
    var target: Tensor<Int64>?
    do throws(ExecutionError) {
      switch problem {
      case let problem as ResNetProblem:
        let results = Set(problem.plan.stages.indices.map { "stage\($0 + 1)" }.filter(wants) + ["logits"])
        network = try InferenceNetwork(
          problem.plan, weights: weights, threads: threads, strategies: strategies, results: results)
        if problem.hasTarget { target = exercise.inputs["target"]?.integers }
      case let problem as BasicBlockProblem:
        network = try InferenceNetwork(problem.plan, weights: weights, threads: threads, strategies: strategies)
      case let problem as BottleneckProblem:
        network = try InferenceNetwork(problem.plan, weights: weights, threads: threads, strategies: strategies)
      default:
        let layer = NetworkLayer(name: "layer", problem)
        let named = Dictionary(uniqueKeysWithValues: weights.map { ("layer.\($0.key)", $0.value) })
        network = try InferenceNetwork(layer, weights: named, threads: threads, strategies: strategies)
      }
    } catch { throw Self.translated(error) }
    self.target = target
    wantsLoss = target != nil && wants("loss")
    shape = network.inputShape
  }

  static func translated(_ error: ExecutionError) -> EngineError {
    switch error {
    case .unsupported, .convolution(.unsupported): .unsupported("\(error)")
    case .problem(let problem): EngineError(problem)
    default: .failed("\(error)")
    }
  }

  func images(of operands: LateOperands) throws(EngineError) -> Tensor<Float> {
    guard case .float32(let images)? = operands.inputs["x"], images.shape == shape else {
      let found = operands.inputs["x"].map { "\($0.dtype.rawValue) of shape \($0.shape)" } ?? "none"
      throw .failed("inputs/x: expected float32 of shape \(shape), found \(found)")
    }
    return images
  }

  func results(of operands: LateOperands) throws(EngineError) -> [String: Tensor<Float>] {
    let images = try images(of: operands)
    do throws(ExecutionError) { return try network.results(of: images) } catch { throw Self.translated(error) }
  }

  func answer(_ results: [String: Tensor<Float>]) throws(EngineError) -> Answer {
    var answer = Answer()
    for (name, tensor) in results { answer.outputs[name] = .float32(tensor) }
    if wantsLoss, let target, let logits = results["logits"] {
      do throws(ExecutionError) {
        let loss = try Classification.crossEntropy(logits, labels: target)
        answer.outputs["loss"] = .float32(Tensor(shape: [], elements: [Float(loss)]))
      } catch { throw Self.translated(error) }
    }
    return answer
  }
}

/// A prepared network: one, whose activations every set's run uses, and the results of each set.
private final class ExecutionOperation: TracedOperation {
  private final class Operands {
    var images: Tensor<Float>
    var results: [(name: String, tensor: Tensor<Float>)]

    init(_ images: Tensor<Float>, _ results: [(name: String, tensor: Tensor<Float>)]) {
      self.images = images
      self.results = results
    }
  }

  private let asked: AskedNetwork
  private var sets: [Int: Operands] = [:]
  private var flush = CacheFlush()

  init(_ asked: AskedNetwork) { self.asked = asked }

  private var network: InferenceNetwork { asked.network }
  var workspaceBytes: Int { network.activationBytes + network.workspaceBytes }
  var summary: String { "\(network.instructionSet.rawValue), \(network.strategySummary)" }

  func load(_ operands: LateOperands, set: Int) throws(EngineError) {
    let images = try asked.images(of: operands)
    if let known = sets[set] {
      known.images = images
      for index in known.results.indices { mark(&known.results[index].tensor) }
    } else {
      let results = network.resultShapes.sorted { $0.key < $1.key }.map { name, shape in
        (name, Tensor<Float>(shape: shape, repeating: UnwrittenMark.float32))
      }
      sets[set] = Operands(images, results)
    }
  }

  private func mark(_ tensor: inout Tensor<Float>) {
    tensor.elements.withUnsafeMutableBufferPointer { $0.update(repeating: UnwrittenMark.float32) }
  }

  func time(_ timed: TimedRun) throws(EngineError) -> [UInt64] {
    var visited: [Operands] = []
    for set in timed.sets {
      guard let operands = sets[set] else { throw notLoaded(set) }
      for index in operands.results.indices { mark(&operands.results[index].tensor) }
      visited.append(operands)
    }
    var durations: [UInt64] = []
    durations.reserveCapacity(timed.iterations)
    do throws(ExecutionError) {
      for iteration in 0..<timed.iterations {
        let operands = visited[iteration % visited.count]
        if timed.cold { flush.flush() }
        let start = ContinuousClock.now
        try network.run(operands.images)
        for index in operands.results.indices {
          try network.copy(operands.results[index].name, into: &operands.results[index].tensor)
        }
        durations.append(UInt64((ContinuousClock.now - start).nanoseconds))
      }
    } catch { throw AskedNetwork.translated(error) }
    return durations
  }

  func trace(set: Int) throws(EngineError) -> [LayerTime] {
    guard let operands = sets[set] else { throw notLoaded(set) }
    do throws(ExecutionError) {
      return try network.trace(operands.images).map { step in
        LayerTime(
          layer: step.layer, problem: step.problem?.text, strategy: step.kind,
          nanoseconds: Double(max(step.nanoseconds, 1)))
      }
    } catch { throw AskedNetwork.translated(error) }
  }

  func collect(set: Int) throws(EngineError) -> Answer {
    guard let operands = sets[set] else { throw notLoaded(set) }
    return try asked.answer(Dictionary(uniqueKeysWithValues: operands.results.map { ($0.name, $0.tensor) }))
  }
}
