import Problems
import Reference
import Tensors

/// A block or a network with its operands in double precision, to be run again and again with every layer perturbed.
struct NetworkSubject {
  enum Plan {
    case block(ResidualBlockPlan)
    case network(ResNetProblem)
  }

  let plan: Plan
  private let operation: Operation
  private let target: Tensor<Int64>?

  init(_ plan: Plan, _ operation: Operation) {
    self.plan = plan
    self.operation = operation
    target = operation.inputs["target"].map { $0.map { Int64($0) } }
  }

  var layers: [NetworkLayer] {
    switch plan {
    case .block(let plan): plan.layers
    case .network(let problem): problem.layers
    }
  }

  /// The values that the layers start with.
  var state: NetworkState<Double> {
    var state = NetworkState<Double>(parameters: operation.parameters)
    for layer in layers {
      guard case .batchNorm2d(let problem) = layer.operation, problem.tracksRunningStatistics,
        let mean = operation.buffers["\(layer.name).running_mean"],
        let variance = operation.buffers["\(layer.name).running_var"]
      else { continue }
      let count = operation.buffers["\(layer.name).num_batches_tracked"]?.elements.first
      state.buffers[layer.name] = .init(
        runningMean: mean, runningVariance: variance,
        batchesTracked: count.map { Int64($0) })
    }
    return state
  }

  /// Every result by its path in the golden format, floats alone.
  /// - Parameter pass: fresh, with whatever hooks the caller wants.
  /// - Throws: ``ProblemError`` when the operands do not fit; the case's loader has seen to that they do.
  func results(_ pass: inout NetworkPass<Double>) throws(ProblemError) -> [String: [Double]] {
    let x = operation.input()
    var results: [String: [Double]] = [:]
    var gradients: [String: Tensor<Double>] = [:]
    switch plan {
    case .block(let block):
      results["outputs/y"] = try pass.forward(block, x: x).elements
      if let dOutput = operation.upstream["y"] { gradients = try pass.backward(block, dOutput: dOutput) }
    case .network(let problem):
      let outputs = try pass.forward(problem.plan, x: x)
      results["outputs/logits"] = outputs.logits.elements
      for (stage, y) in outputs.stages.enumerated() { results["outputs/stage\(stage + 1)"] = y.elements }
      gradients = try networkGradients(problem, outputs, pass, &results)
    }
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
    if let loss = try problem.loss().map({ CrossEntropy($0) }), let target {
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
}
