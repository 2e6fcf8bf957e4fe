import Convolution
import Execution
import Operations
import Problems
import Tensors
import Testing

/// Whole networks and blocks against the readable reference in double precision.
///
/// The bar is statistical, of whole outputs: goldens judge every element by bounds (`verify --engine execution`).
@Suite struct InferenceNetworkTests {
  /// A network, and what the reference makes of it.
  struct Sample {
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
      images = Tensor(shape: plan.inputShape, elements: (0..<plan.inputShape.count).map { _ in Float(random.nextUniform()) })
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

  static func relativeError(_ found: Tensor<Float>, _ expected: Tensor<Double>) -> Double {
    var difference = 0.0
    var size = 0.0
    for (a, b) in zip(found.elements, expected.elements) {
      difference += (Double(a) - b) * (Double(a) - b)
      size += b * b
    }
    return (difference / size).squareRoot()
  }

  static let networks: [(ResNetArchitecture, batch: Int, side: Int)] = [
    (.resnet18.scaled(toWidth: 12), 2, 40), (.resnet18.scaled(toWidth: 32), 1, 64),
    (.resnet50.scaled(toWidth: 8), 3, 33), (.resnet34.scaled(toWidth: 5), 1, 48),
    (.resnext50.scaled(toWidth: 64), 1, 32), (.wideResnet50.scaled(toWidth: 8), 2, 32),
    (.simpleResnet.scaled(toWidth: 12), 2, 32),
  ]

  @Test(arguments: networks, InstructionSet.available)
  func agreesWithTheReference(_ network: (ResNetArchitecture, batch: Int, side: Int), _ set: InstructionSet) throws {
    let sample = try Sample(network.0, batch: network.batch, side: network.side)
    let expected = try sample.reference()
    let all = Set(expected.keys)
    let strategies: [NetworkStrategies] =
      [.automatic(nil), .one(DirectStrategy()), .one(Im2colStrategy())] + WinogradStrategy.all.map { .one($0) }
    for strategy in strategies {
      let network = try InferenceNetwork(
        sample.plan, weights: sample.tensors, instructionSet: set, strategies: strategy, results: all)
      let found = try network.results(of: sample.images)
      #expect(Set(found.keys) == all)
      for (name, tensor) in found {
        let reference = try #require(expected[name])
        #expect(tensor.shape == reference.shape)
        // Layer after layer some 10 roundings of a relative 2^-24 each; Winograd's F(6×6) has 20 times as much.
        #expect(Self.relativeError(tensor, reference) < 2e-4, "\(name) by \(strategy)")
      }
    }
  }
}
