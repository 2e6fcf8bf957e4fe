import Convolution
import Execution
import Operations
import Problems
import Tensors

/// Training steps on the fast strategies. Those of the cost model: what a network becomes does not depend on what was timed
/// where, nor on the number of threads.
final class ExecutionTrainer: StepEngine {
  private let parameters = NetworkParameters()
  private let optimizer: NetworkOptimizer
  private let threads: Int
  /// By images in a mini-batch: an epoch's last may be smaller.
  private var networks: [Int: TrainingNetwork] = [:]
  /// What the networks to come are made on; the parameters have it then.
  private var initial: [String: AnyTensor] = [:]

  /// - Throws: ``Execution/ExecutionError`` where there are not so many threads.
  init(_ options: TrainingOptions, threads: Int) throws(ExecutionError) {
    self.threads = threads
    optimizer = try NetworkOptimizer(options.optimizer, threads: threads)
  }

  static func translated(_ error: ExecutionError) -> ProblemError {
    if case .problem(let problem) = error { return problem }
    return ProblemError(
      .invalidArgument, "network", expected: "one that execution computes (--engine reference computes any)",
      found: "\(error)")
  }

  private func translating<Result>(
    _ body: () throws(ExecutionError) -> Result
  ) throws(ProblemError) -> Result {
    do { return try body() } catch { throw Self.translated(error) }
  }

  func begin(_ step: TrainingStep<Float>) throws(ProblemError) {
    initial = step.state.stateDict(AnyTensor.float32)
    optimizer.frozen = step.frozen
    try translating { () throws(ExecutionError) in
      guard !networks.isEmpty else { return }
      try parameters.load(initial)
      try optimizer.restore(step.optimizerStates.mapValues(NetworkOptimizer.State.init), for: parameters)
    }
    restored = networks.isEmpty ? step.optimizerStates.mapValues(NetworkOptimizer.State.init) : [:]
  }

  /// The optimiser's memory that waits for the first network, which knows the parameters.
  private var restored: [String: NetworkOptimizer.State] = [:]

  func run(
    _ plan: NetworkPlan, _ batch: LabelledImages<Float>, learningRate: Double
  ) throws(ProblemError) -> Double {
    try translating { () throws(ExecutionError) in
      let network = try network(plan)
      return try network.step(batch.images, labels: batch.labels, optimizer, learningRate: learningRate)
    }
  }

  private func network(_ plan: NetworkPlan) throws(ExecutionError) -> TrainingNetwork {
    if let known = networks[plan.inputShape[0]] { return known }
    let network = try TrainingNetwork(
      plan, weights: initial, parameters: parameters, threads: threads, strategies: .automatic(nil))
    networks[plan.inputShape[0]] = network
    try optimizer.restore(restored, for: parameters)
    restored = [:]
    return network
  }

  func end(_ step: TrainingStep<Float>) throws(ProblemError) -> TrainingStep<Float> {
    var next = step
    let values = parameters.stateDict
    for name in next.state.parameters.keys { next.state.parameters[name] = values[name]?.floating() }
    for (norm, buffers) in next.state.buffers {
      var after = buffers
      after.runningMean = values["\(norm).running_mean"]?.floating() ?? buffers.runningMean
      after.runningVariance = values["\(norm).running_var"]?.floating() ?? buffers.runningVariance
      after.batchesTracked = values["\(norm).num_batches_tracked"]?.integers?.elements.first ?? buffers.batchesTracked
      next.state.buffers[norm] = after
    }
    next.optimizerStates = optimizer.states(of: parameters).mapValues(OptimizerState.init)
    return next
  }
}

extension NetworkOptimizer.State {
  fileprivate init(_ state: OptimizerState<Float>) {
    let tensors = [
      "momentum_buffer": state.momentumBuffer, "exp_avg": state.expAvg, "exp_avg_sq": state.expAvgSq,
      "max_exp_avg_sq": state.maxExpAvgSq,
    ]
    self.init(step: state.step, tensors: tensors.compactMapValues { $0 })
  }
}

extension OptimizerState where Scalar == Float {
  fileprivate init(_ state: NetworkOptimizer.State) {
    self.init(step: state.step)
    momentumBuffer = state.tensors["momentum_buffer"]
    expAvg = state.tensors["exp_avg"]
    expAvgSq = state.tensors["exp_avg_sq"]
    maxExpAvgSq = state.tensors["max_exp_avg_sq"]
  }
}
