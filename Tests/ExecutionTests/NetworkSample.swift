import Operations
import Problems
import Tensors

/// A network, and what the reference makes of it.
struct NetworkSample {
  let plan: NetworkPlan
  let state: NetworkState<Float>
  let images: Tensor<Float>

  init(_ architecture: ResNetArchitecture, batch: Int, side: Int, classes: Int = 7) throws {
    plan = try architecture.plan(inputShape: [batch, 3, side, side], classCount: classes)
    var state = Initialization(seed: 5).state(of: plan, as: Float.self)
    var random = SplitMix64(seed: 11)
    // Statistics as training leaves them: away from 0 and 1.
    for (name, buffers) in state.buffers.sorted(by: { $0.key < $1.key }) {
      var changed = buffers
      changed.runningMean = buffers.runningMean.map { _ in Float(random.nextUniform()) - 0.5 }
      changed.runningVariance = buffers.runningVariance.map { _ in Float(random.nextUniform()) + 0.5 }
      state.buffers[name] = changed
    }
    self.state = state
    images = Tensor(
      shape: plan.inputShape, elements: (0..<plan.inputShape.count).map { _ in Float(random.nextUniform()) })
  }

  var tensors: [String: AnyTensor] { state.stateDict { .float32($0) } }

  func reference() throws -> [String: Tensor<Double>] {
    var pass = NetworkPass(state: state.map { Double($0) })
    pass.keepsRecords = false
    let found = try pass.forward(plan, x: images.map { Double($0) })
    var named = ["logits": found.logits]
    for (index, stage) in found.stages.enumerated() { named["stage\(index + 1)"] = stage }
    return named
  }
}
