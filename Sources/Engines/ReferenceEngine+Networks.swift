import Problems
import Operations
import Tensors

extension ReferenceEngine {
  /// `basic_block`, `bottleneck` and `residual_block`.
  func blockAnswer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ plan: ResidualBlockPlan
  ) throws(ProblemError) -> Answer {
    let x = try request.input("x")
    let dOutput = try request.upstream("y")
    if let dOutput { try requireShape(dOutput, plan.outputShape, "upstream/y") }
    var pass = NetworkPass(state: try request.networkState(plan.layers))
    let y = try pass.forward(plan, x: x)
    var answer = Answer(outputs: ["y": Scalar.wrap(y)], buffersAfter: buffersAfter(request, pass.state))
    if let dOutput { answer.gradients = try pass.backward(plan, dOutput: dOutput).mapValues(Scalar.wrap) }
    return answer
  }

  func answer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: ResNetProblem
  ) throws(ProblemError) -> Answer {
    let x = try request.input("x")
    let plan = problem.plan
    let loss = try problem.loss().map { CrossEntropy($0) }
    let target: CrossEntropy.Target<Scalar>? = loss == nil ? nil : .indices(try request.indices("target"))
    var dLogits = try request.upstream("logits")
    let dLoss = try request.upstream("loss")
    var dStages: [Int: Tensor<Scalar>] = [:]
    for (stage, shape) in plan.stageShapes.enumerated() {
      guard let cotangent = try request.upstream("stage\(stage + 1)") else { continue }
      try requireShape(cotangent, shape, "upstream/stage\(stage + 1)")
      dStages[stage] = cotangent
    }
    if let dLogits { try requireShape(dLogits, plan.logitsShape, "upstream/logits") }
    if let dLoss { try requireShape(dLoss, [], "upstream/loss") }
    // What is wrong with the labels is found out before the network runs.
    if let loss, let target { _ = try loss.forward(Tensor(zeros: plan.logitsShape), target: target) }

    var pass = NetworkPass(state: try request.networkState(plan.layers))
    let wantsGradients = dLogits != nil || dLoss != nil || !dStages.isEmpty
    pass.keepsRecords = wantsGradients
    let outputs = try pass.forward(plan, x: x)
    var answer = Answer(
      outputs: ["logits": Scalar.wrap(outputs.logits)], buffersAfter: buffersAfter(request, pass.state))
    for (stage, y) in outputs.stages.enumerated() { answer.outputs["stage\(stage + 1)"] = Scalar.wrap(y) }
    if let loss, let target {
      answer.outputs["loss"] = Scalar.wrap(try loss.forward(outputs.logits, target: target))
      if let dLoss {
        let gradient = try loss.backward(dLoss, x: outputs.logits, target: target)
        dLogits =
          if let given = dLogits { try Add(AddProblem(inputShape: given.shape)).forward(given, gradient) } else {
            gradient
          }
      }
    }
    if wantsGradients {
      let gradients = try pass.backward(plan, dLogits: dLogits ?? Tensor(zeros: plan.logitsShape), dStages: dStages)
      answer.gradients = gradients.mapValues(Scalar.wrap)
    }
    return answer
  }

  func answer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: any OptimizerStepProblem
  ) throws(ProblemError) -> Answer {
    var p = try request.parameter("p")
    let gradients = try request.input("gradients")
    var state = OptimizerState<Scalar>(step: problem.firstStep - 1)
    state.expAvg = try request.optionalBuffer("exp_avg")
    state.expAvgSq = try request.optionalBuffer("exp_avg_sq")
    state.maxExpAvgSq = try request.optionalBuffer("max_exp_avg_sq")
    let optimizer = Optimizer(problem.options)
    var trajectory: [Scalar] = []
    for step in 0..<problem.stepCount {
      let range = step * p.count..<(step + 1) * p.count
      let gradient = Tensor(shape: p.shape, elements: Array(gradients.elements[range]))
      try optimizer.step(&p, gradient: gradient, state: &state)
      trajectory += p.elements
    }
    var answer = Answer(outputs: ["trajectory": Scalar.wrap(Tensor(shape: gradients.shape, elements: trajectory))])
    answer.outputs["momentum_buffer"] = state.momentumBuffer.map(Scalar.wrap)
    answer.outputs["exp_avg"] = state.expAvg.map(Scalar.wrap)
    answer.outputs["exp_avg_sq"] = state.expAvgSq.map(Scalar.wrap)
    return answer
  }

  func answer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: TrainingRunProblem
  ) throws(ProblemError) -> Answer {
    let images = try request.input("images")
    let (labels, batches) = (try request.indices("labels"), try request.indices("batches"))
    for row in batches.elements where row < 0 || row >= images.shape[0] {
      throw ProblemError(
        .indexOutOfRange, "inputs/batches", expected: "rows below \(images.shape[0])", found: "\(row)")
    }
    for label in labels.elements where label < 0 || label >= problem.classCount {
      throw ProblemError(
        .indexOutOfRange, "inputs/labels", expected: "classes below \(problem.classCount)", found: "\(label)")
    }
    var step = TrainingStep(
      state: try request.networkState(problem.trainingPlan.layers), optimizer: Optimizer(problem.optimizer))
    let set = LabelledImages(images: images, labels: labels)
    var losses: [Scalar] = []
    for first in stride(from: 0, to: batches.count, by: problem.batch) {
      let rows = batches.elements[first..<first + problem.batch].map { Int($0) }
      losses.append(try step.run(problem.trainingPlan, set.batch(rows)).loss)
    }
    var pass = NetworkPass(state: step.state)
    pass.keepsRecords = false
    let first = set.batch(batches.elements.prefix(problem.batch).map { Int($0) })
    let logits = try pass.forward(problem.evaluationPlan, x: first.images).logits
    return Answer(outputs: [
      "loss": Scalar.wrap(Tensor(shape: [problem.stepCount], elements: losses)), "logits": Scalar.wrap(logits),
    ])
  }

  private func buffersAfter<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ state: NetworkState<Scalar>
  ) -> [String: AnyTensor] {
    var named: [String: AnyTensor] = [:]
    for (name, buffers) in state.buffers { named.merge(request.named(buffers, "\(name).")) { _, new in new } }
    return named
  }

  private func requireShape<Scalar>(
    _ tensor: Tensor<Scalar>, _ expected: Shape, _ subject: String
  ) throws(ProblemError) {
    guard tensor.shape == expected else {
      throw ProblemError(.shapeMismatch, subject, expected: "shape \(expected)", found: "shape \(tensor.shape)")
    }
  }
}

extension ReferenceRequest {
  /// The values of the layers that have any.
  func networkState(_ layers: [NetworkLayer]) throws(ProblemError) -> NetworkState<Scalar> {
    var state = NetworkState<Scalar>()
    for layer in layers {
      for expected in layer.parameters { state.parameters[expected.name] = try parameter(expected.name) }
      if case .batchNorm2d = layer.operation { state.buffers[layer.name] = try batchNormBuffers("\(layer.name).") }
    }
    return state
  }

  func optionalBuffer(_ name: String) throws(ProblemError) -> Tensor<Scalar>? {
    try exercise.buffers[name] == nil ? nil : buffer(name)
  }
}
