import Convolution
import Execution
import Operations
import Problems
import Tensors

/// A network in training, or in evaluation, and cotangents of its logits and of a stage.
struct TrainingSample {
  let network: NetworkSample
  let plan: NetworkPlan
  let dLogits: Tensor<Float>
  let dStage: Tensor<Float>

  init(_ architecture: ResNetArchitecture, batch: Int, side: Int, training: Bool = true) throws {
    network = try NetworkSample(architecture, batch: batch, side: side)
    plan = try architecture.plan(inputShape: network.images.shape, classCount: 7, training: training)
    dLogits = Tensor(splitMix64Uniform: plan.logitsShape, seed: 3, low: -1, high: 1)
    dStage = Tensor(splitMix64Uniform: plan.stageShapes[0], seed: 4, low: -0.01, high: 0.01)
  }

  func reference() throws -> (gradients: [String: Tensor<Double>], state: NetworkState<Double>) {
    var pass = NetworkPass(state: network.state.map { Double($0) })
    _ = try pass.forward(plan, x: network.images.map { Double($0) })
    let gradients = try pass.backward(
      plan, dLogits: dLogits.map { Double($0) }, dStages: [0: dStage.map { Double($0) }])
    return (gradients, pass.state)
  }

  func run(_ network: TrainingNetwork) throws -> [String: Tensor<Float>] {
    try network.forward(self.network.images)
    try network.backward(["logits": dLogits, "stage1": dStage])
    var gradients = ["x": try network.inputGradient()]
    for name in network.parameters.names { gradients[name] = try network.parameters.gradient(of: name) }
    return gradients
  }

  func prepared(
    threads: Int = 1, _ set: InstructionSet? = nil, _ strategies: NetworkStrategies = .automatic(nil)
  ) throws -> TrainingNetwork {
    try TrainingNetwork(
      plan, weights: network.tensors, threads: threads, instructionSet: set, strategies: strategies,
      given: ["logits", "stage1"], wantsInputGradient: true)
  }

  static let networks: [(ResNetArchitecture, batch: Int, side: Int)] = [
    (.resnet18.scaled(toWidth: 12), 3, 64), (.shortBottlenecks, 3, 65), (.groupedBottlenecks, 4, 32),
    (.simpleResnet.scaled(toWidth: 12), 2, 32),
  ]
}

extension ResNetArchitecture {
  /// One bottleneck a stage.
  fileprivate static var shortBottlenecks: ResNetArchitecture {
    var short = resnet50.scaled(toWidth: 8)
    short.depths = [1, 1, 1, 1]
    return short
  }
}
