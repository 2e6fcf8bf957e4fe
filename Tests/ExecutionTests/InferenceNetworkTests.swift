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
    let sample = try NetworkSample(network.0, batch: network.batch, side: network.side)
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

extension InferenceNetworkTests {
  /// Images do not know of each other.
  @Test func aBatchIsItsImages() throws {
    let sample = try NetworkSample(.resnet18.scaled(toWidth: 16), batch: 3, side: 32)
    let strategies = NetworkStrategies.one(DirectStrategy())
    let whole = try InferenceNetwork(sample.plan, weights: sample.tensors, strategies: strategies)(sample.images)
    let single = try InferenceNetwork(
      .resnet18.scaled(toWidth: 16), weights: sample.tensors, imageSize: 32, strategies: strategies)
    let pixels = sample.images.count / 3
    for image in 0..<3 {
      let logits = try single(
        Tensor(
          shape: [1, 3, 32, 32], elements: Array(sample.images.elements[image * pixels..<(image + 1) * pixels])))
      #expect(logits.elements == Array(whole.elements[image * 7..<(image + 1) * 7]))
    }
  }

  /// Activations share memory: what a network holds is little more than the layers that are widest.
  @Test func activationsShareMemory() throws {
    let sample = try NetworkSample(.resnet34.scaled(toWidth: 16), batch: 1, side: 64)
    let network = try InferenceNetwork(sample.plan, weights: sample.tensors)
    let all = sample.plan.layers.reduce(0) { $0 + $1.outputShape.count * 4 }
    #expect(network.activationBytes * 4 < all)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let sample = try NetworkSample(.resnet18.scaled(toWidth: 8), batch: 1, side: 32)
    var lacking = sample.tensors
    lacking["layer1.0.conv1.weight"] = nil
    #expect(
      throws: ExecutionError.weight(
        name: "layer1.0.conv1.weight", expected: "a tensor of shape 8×8×3×3", found: "none")
    ) { try InferenceNetwork(sample.plan, weights: lacking) }
    var misshapen = sample.tensors
    misshapen["bn1.running_var"] = .float32(Tensor(shape: [4], repeating: 1))
    #expect(throws: ExecutionError.self) { try InferenceNetwork(sample.plan, weights: misshapen) }
    let network = try InferenceNetwork(sample.plan, weights: sample.tensors)
    #expect(throws: ExecutionError.self) { try network(Tensor(shape: [2, 3, 32, 32], repeating: 0)) }
    let training = try ResNetArchitecture.resnet18.scaled(toWidth: 8)
      .plan(inputShape: [2, 3, 32, 32], classCount: 7, training: true)
    #expect(throws: ExecutionError.self) { try InferenceNetwork(training, weights: sample.tensors) }
    #expect(throws: ExecutionError.self) {
      try InferenceNetwork(NetworkLayer(name: "relu", ReLUProblem(inputShape: [1, 2, 3, 3])), weights: [:])
    }
  }

  /// Every layer of the network is timed once, and times decide strategies.
  @Test func strategiesAreMeasuredInPlace() throws {
    let sample = try NetworkSample(.resnet18.scaled(toWidth: 16), batch: 1, side: 32)
    let plans = ConvolutionPlans(path: nil)
    let set = try InstructionSet.selected()
    let measured = try StrategyMeasurement(
      sample.plan, weights: sample.tensors, threads: 1, instructionSet: set, rounds: 2, plans: plans)
    let convolutions = sample.plan.layers.count { $0.problem is Conv2dProblem }
    // And the classifier.
    #expect(measured.layers.reduce(0) { $0 + $1.count } == convolutions + 1)
    let network = try InferenceNetwork(sample.plan, weights: sample.tensors, strategies: .automatic(plans))
    for step in try network.trace(sample.images) {
      guard let problem = step.problem else { continue }
      let layer = try #require(
        measured.layers.first { $0.problem == problem && $0.addsResidual == step.addsResidual })
      #expect(layer.nanoseconds.min { $0.value < $1.value }?.key == step.kind)
    }
  }
}
