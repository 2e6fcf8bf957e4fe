import Convolution
import Engines
import Execution
import Operations
import Problems
import Tensors

/// A network, a block or a layer whose gradients an exercise asks for, or whose batch norms use the batch's statistics.
struct AskedTraining {
  private let network: TrainingNetwork
  private let exercise: Exercise
  private let target: Tensor<Int64>?
  private let given: Set<String>
  /// What the layer's names begin with in the network, where an exercise's do not.
  private let prefix: String

  /// Whether batch norms of a plan normalise by the batch's own statistics.
  static func usesBatchStatistics(_ layers: [NetworkLayer]) -> Bool {
    layers.contains { ($0.problem as? BatchNorm2dProblem)?.usesBatchStatistics == true }
  }

  /// - Throws: ``EngineError``: `unsupported` where no such problem is computed here.
  init(
    _ exercise: Exercise, _ problem: any OperationProblem, _ strategies: NetworkStrategies
  ) throws(EngineError) {
    self.exercise = exercise
    let weights = exercise.parameters.merging(exercise.buffers) { parameter, _ in parameter }
    let threads = exercise.threads
    target = exercise.inputs["target"]?.integers
    let isBackward = exercise.passes.contains(.backward)
    do throws(ExecutionError) {
      switch problem {
      case let problem as ResNetProblem:
        let stages = exercise.upstream.keys.filter { $0.hasPrefix("stage") }
        given = Set(stages + ["logits"])
        prefix = ""
        network = try TrainingNetwork(
          problem.plan, weights: weights, threads: threads, strategies: strategies, given: given,
          wantsInputGradient: isBackward)
      case let problem as BasicBlockProblem:
        (given, prefix) = (["y"], "")
        network = try TrainingNetwork(problem.plan, weights: weights, threads: threads, strategies: strategies)
      case let problem as BottleneckProblem:
        (given, prefix) = (["y"], "")
        network = try TrainingNetwork(problem.plan, weights: weights, threads: threads, strategies: strategies)
      default:
        (given, prefix) = (["y"], "layer.")
        network = try TrainingNetwork(
          NetworkLayer(name: "layer", problem),
          weights: Dictionary(uniqueKeysWithValues: weights.map { ("layer.\($0.key)", $0.value) }), threads: threads,
          strategies: strategies)
      }
    } catch { throw AskedNetwork.translated(error) }
  }

  func answer() throws(EngineError) -> Answer {
    guard case .float32(let images)? = exercise.inputs["x"] else { throw .failed("inputs/x: expected float32") }
    do throws(ExecutionError) {
      var answer = Answer()
      try network.forward(images)
      for name in network.resultShapes.keys where wants("outputs/\(name)") {
        answer.outputs[name] = .float32(try network.result(name))
      }
      try addLoss(to: &answer)
      if exercise.passes.contains(.backward) { try addGradients(to: &answer) }
      let state = network.parameters.stateDict
      for name in exercise.buffers.keys where wants("buffers_after/\(name)") {
        // Another shape of a counter goes back as it came.
        answer.buffersAfter[name] = state[prefix + name] ?? exercise.buffers[name]
      }
      return answer
    } catch { throw AskedNetwork.translated(error) }
  }

  private func wants(_ path: String) -> Bool { exercise.wanted.isEmpty || exercise.wanted.contains(path) }

  private func addLoss(to answer: inout Answer) throws(ExecutionError) {
    guard let target, wants("outputs/loss") else { return }
    let loss = try Classification.crossEntropy(try network.result("logits"), labels: target)
    answer.outputs["loss"] = .float32(Tensor(shape: [], elements: [Float(loss)]))
  }

  private func addGradients(to answer: inout Answer) throws(ExecutionError) {
    var gradients: [String: Tensor<Float>] = [:]
    for name in given {
      gradients[name] =
        exercise.upstream[name]?.floating(as: Float.self) ?? network.resultShapes[name].map { Tensor(zeros: $0) }
    }
    if let target, let factor = exercise.upstream["loss"]?.floating(as: Double.self)?.elements.first {
      let own = try Classification.crossEntropyGradient(
        try network.result("logits"), labels: target, factor: factor)
      if var sum = gradients["logits"] {
        for index in sum.elements.indices { sum.elements[index] += own.elements[index] }
        gradients["logits"] = sum
      }
    }
    try network.backward(gradients)
    for name in exercise.parameters.keys where wants("gradients/\(name)") {
      answer.gradients[name] = .float32(try network.parameters.gradient(of: prefix + name))
    }
    if wants("gradients/x") { answer.gradients["x"] = .float32(try network.inputGradient()) }
  }
}

/// Some mini-batches of training, and the logits of the first afterwards.
struct AskedTrainingRun {
  static func answer(
    _ exercise: Exercise, _ problem: TrainingRunProblem, _ strategies: NetworkStrategies
  ) throws(EngineError) -> Answer {
    guard case .float32(let images)? = exercise.inputs["images"], let labels = exercise.inputs["labels"]?.integers,
      let batches = exercise.inputs["batches"]?.integers
    else { throw .failed("inputs: expected float32 images, integer labels and batches") }
    if let row = batches.elements.first(where: { !(0..<Int64(images.shape[0])).contains($0) }) {
      throw EngineError(
        ProblemError(
          .indexOutOfRange, "inputs/batches", expected: "rows below \(images.shape[0])", found: "\(row)"))
    }
    if let label = labels.elements.first(where: { !(0..<Int64(problem.classCount)).contains($0) }) {
      throw EngineError(
        ProblemError(
          .indexOutOfRange, "inputs/labels", expected: "classes below \(problem.classCount)", found: "\(label)"))
    }
    let set = LabelledImages(images: images, labels: labels)
    func batch(_ number: Int) -> LabelledImages<Float> {
      set.batch(batches.elements[number * problem.batch..<(number + 1) * problem.batch].map { Int($0) })
    }
    do throws(ExecutionError) {
      let weights = exercise.parameters.merging(exercise.buffers) { parameter, _ in parameter }
      let network = try TrainingNetwork(
        problem.trainingPlan, weights: weights, threads: exercise.threads, strategies: strategies)
      let optimizer = try NetworkOptimizer(problem.optimizer, threads: exercise.threads)
      var losses: [Float] = []
      for number in 0..<problem.stepCount {
        let batch = batch(number)
        losses.append(Float(try network.step(batch.images, labels: batch.labels, optimizer)))
      }
      let judged = try InferenceNetwork(
        problem.evaluationPlan, weights: network.parameters.stateDict, threads: exercise.threads,
        strategies: strategies)
      return Answer(outputs: [
        "loss": .float32(Tensor(shape: [problem.stepCount], elements: losses)),
        "logits": .float32(try judged(batch(0).images)),
      ])
    } catch { throw AskedNetwork.translated(error) }
  }
}
