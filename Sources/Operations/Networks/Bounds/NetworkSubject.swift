import Problems
import Operations
import Tensors

/// A block, a network or a training run with its operands in double precision, to be run again and again with every layer
/// disturbed.
struct NetworkSubject {
  enum Plan {
    case block(ResidualBlockPlan)
    case network(ResNetProblem)
    case training(TrainingRunProblem)
  }

  /// What a caller does with each pass of a run; a block or a network is one pass, a training run one a step and a last one.
  struct Hooks {
    var begin: (_ step: Int, _ pass: inout NetworkPass<Double>) -> Void
    var end: (_ step: Int, _ pass: NetworkPass<Double>) -> Void = { _, _ in }
    /// Replaces each parameter after a step of the optimiser.
    var parameter: (Tensor<Double>) -> Tensor<Double> = { $0 }
  }

  let plan: Plan
  private let operation: Operation

  init(_ plan: Plan, _ operation: Operation) {
    self.plan = plan
    self.operation = operation
  }

  var layers: [NetworkLayer] {
    switch plan {
    case .block(let plan): plan.layers
    case .network(let problem): problem.layers
    case .training(let problem): problem.trainingPlan.layers
    }
  }

  /// The values that the layers start with.
  private var state: NetworkState<Double> {
    var state = NetworkState<Double>(parameters: operation.parameters)
    for layer in layers {
      guard case .batchNorm2d(let problem) = layer.operation, problem.tracksRunningStatistics,
        let mean = operation.buffers["\(layer.name).running_mean"],
        let variance = operation.buffers["\(layer.name).running_var"]
      else { continue }
      state.buffers[layer.name] = .init(
        runningMean: mean, runningVariance: variance,
        batchesTracked: operation.integers["\(layer.name).num_batches_tracked"]?.elements.first)
    }
    return state
  }

  /// Every result by its path in the golden format, floats alone.
  /// - Throws: ``ProblemError`` when the operands do not fit; the case's loader has seen to that they do.
  func run(_ hooks: Hooks) throws(ProblemError) -> [String: [Double]] {
    if case .training(let problem) = plan { return try train(problem, hooks) }
    var pass = NetworkPass(state: state)
    hooks.begin(0, &pass)
    var results: [String: [Double]] = [:]
    var gradients: [String: Tensor<Double>] = [:]
    switch plan {
    case .block(let block):
      results["outputs/y"] = try pass.forward(block, x: operation.input()).elements
      if let dOutput = operation.upstream["y"] { gradients = try pass.backward(block, dOutput: dOutput) }
    case .network(let problem):
      let outputs = try pass.forward(problem.plan, x: operation.input())
      results["outputs/logits"] = outputs.logits.elements
      for (stage, y) in outputs.stages.enumerated() { results["outputs/stage\(stage + 1)"] = y.elements }
      gradients = try networkGradients(problem, outputs, pass, &results)
    case .training: break
    }
    hooks.end(0, pass)
    for (name, gradient) in gradients { results["gradients/\(name)"] = gradient.elements }
    for (name, buffers) in pass.state.buffers {
      results["buffers_after/\(name).running_mean"] = buffers.runningMean.elements
      results["buffers_after/\(name).running_var"] = buffers.runningVariance.elements
    }
    return results
  }

  private func networkGradients(
    _ problem: ResNetProblem, _ outputs: NetworkPass<Double>.Outputs, _ pass: NetworkPass<Double>,
    _ results: inout [String: [Double]]
  ) throws(ProblemError) -> [String: Tensor<Double>] {
    var dLogits = operation.upstream["logits"]
    if let loss = try problem.loss().map({ CrossEntropy($0) }), let target = operation.integers["target"] {
      results["outputs/loss"] = try loss.forward(outputs.logits, target: .indices(target)).elements
      if let dLoss = operation.upstream["loss"] {
        let gradient = try loss.backward(dLoss, x: outputs.logits, target: .indices(target))
        dLogits = Tensor(
          shape: gradient.shape,
          elements: zip(gradient.elements, dLogits?.elements ?? gradient.elements.map { _ in 0 }).map(+))
      }
    }
    var dStages: [Int: Tensor<Double>] = [:]
    for stage in outputs.stages.indices { dStages[stage] = operation.upstream["stage\(stage + 1)"] }
    guard dLogits != nil || !dStages.isEmpty else { return [:] }
    return try pass.backward(
      problem.plan, dLogits: dLogits ?? Tensor(zeros: outputs.logits.shape), dStages: dStages)
  }

  /// The steps of a training run, as `TrainingStep` takes them, and the evaluation after the last.
  private func train(_ problem: TrainingRunProblem, _ hooks: Hooks) throws(ProblemError) -> [String: [Double]] {
    guard let images = operation.inputs["images"], let labels = operation.integers["labels"],
      let batches = operation.integers["batches"]
    else { return [:] }
    let set = LabelledImages(images: images, labels: labels)
    let loss = CrossEntropy(try CrossEntropyProblem(batch: problem.batch, classes: problem.classCount))
    let optimizer = Optimizer(problem.optimizer)
    var (state, memory, losses) = (state, [String: OptimizerState<Double>](), [Double]())
    func rows(_ step: Int) -> [Int] {
      batches.elements[step * problem.batch..<(step + 1) * problem.batch].map { Int($0) }
    }
    for step in 0..<problem.stepCount {
      let batch = set.batch(rows(step))
      var pass = NetworkPass(state: state)
      hooks.begin(step, &pass)
      let logits = try pass.forward(problem.trainingPlan, x: batch.images).logits
      losses.append(try loss.forward(logits, target: .indices(batch.labels)).elements[0])
      let dLogits = try loss.backward(Tensor(shape: [], elements: [1]), x: logits, target: .indices(batch.labels))
      let gradients = try pass.backward(problem.trainingPlan, dLogits: dLogits)
      hooks.end(step, pass)
      state = pass.state
      for parameter in problem.trainingPlan.parameters {
        guard let gradient = gradients[parameter.name], var p = state.parameters[parameter.name] else { continue }
        try optimizer.step(&p, gradient: gradient, state: &memory[parameter.name, default: OptimizerState()])
        state.parameters[parameter.name] = hooks.parameter(p)
      }
    }
    var pass = NetworkPass(state: state)
    hooks.begin(problem.stepCount, &pass)
    let logits = try pass.forward(problem.evaluationPlan, x: set.batch(rows(0)).images).logits
    hooks.end(problem.stepCount, pass)
    return ["outputs/loss": losses, "outputs/logits": logits.elements]
  }
}
