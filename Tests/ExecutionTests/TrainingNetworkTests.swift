import Convolution
import Execution
import Operations
import Problems
import Tensors
import Testing

/// Gradients and steps of whole networks against the readable reference in double precision.
///
/// Of few layers: batch norms over the few values of small images make errors grow from block to block. The bar is statistical, of whole tensors: goldens judge every element by bounds (`verify --engine execution`).
@Suite struct TrainingNetworkTests {
  @Test(arguments: TrainingSample.networks, [true, false])
  func agreesWithTheReference(_ network: (ResNetArchitecture, batch: Int, side: Int), _ training: Bool) throws {
    let sample = try TrainingSample(network.0, batch: network.batch, side: network.side, training: training)
    let (expected, state) = try sample.reference()
    for set in InstructionSet.available {
      for strategies: NetworkStrategies in [.automatic(nil), .one(DirectStrategy())] {
        let prepared = try sample.prepared(set, strategies)
        let found = try sample.run(prepared)
        #expect(Set(found.keys) == Set(expected.keys))
        for (name, gradient) in found {
          let reference = try #require(expected[name])
          // A dozen roundings a layer, which batch norms over a few values make larger, and now and then a ReLU that opens.
          let error = InferenceNetworkTests.relativeError(gradient, reference)
          #expect(error < 5e-3, "\(name), \(set)")
        }
        let after = prepared.parameters.stateDict
        for (name, buffers) in state.buffers {
          let mean = try #require(after["\(name).running_mean"]?.floating(as: Float.self))
          #expect(InferenceNetworkTests.relativeError(mean, buffers.runningMean) < 1e-5)
          let variance = try #require(after["\(name).running_var"]?.floating(as: Float.self))
          #expect(InferenceNetworkTests.relativeError(variance, buffers.runningVariance) < 1e-5)
          #expect(after["\(name).num_batches_tracked"]?.integers?.elements.first == buffers.batchesTracked)
        }
      }
    }
  }

  static let optimizers: [(String, Attributes)] = [
    ("sgd", ["lr": .real(0.01), "momentum": .real(0.9), "nesterov": .boolean(true), "weight_decay": .real(1e-3)]),
    ("sgd", ["lr": .real(0.01), "momentum": .real(0.5), "dampening": .real(0.25)]), ("sgd", ["lr": .real(0.02)]),
    ("adam", ["lr": .real(1e-3), "weight_decay": .real(1e-2), "amsgrad": .boolean(true)]),
    ("adamw", ["lr": .real(1e-3), "weight_decay": .real(0.1), "eps": .real(1e-6)]),
  ].map { ($0.0, Attributes($0.1)) }

  private static func labels(_ count: Int) -> Tensor<Int64> {
    Tensor(shape: [count], elements: (0..<count).map { Int64($0 % 7) })
  }

  /// A few mini-batches, with one parameter frozen.
  @Test(arguments: optimizers) func stepsAgreeWithTheReference(_ rule: (name: String, attributes: Attributes)) throws {
    let sample = try TrainingSample(.resnet18.scaled(toWidth: 8), batch: 4, side: 64)
    let options = try OptimizerOptions(name: rule.name, attributes: rule.attributes)
    let batch = LabelledImages(images: sample.network.images.map { Double($0) }, labels: Self.labels(4))
    var step = TrainingStep(state: sample.network.state.map { Double($0) }, optimizer: Optimizer(options))
    step.frozen = ["layer1.0.conv1.weight"]
    let network = try TrainingNetwork(sample.plan, weights: sample.network.tensors, strategies: .automatic(nil))
    let optimizer = try NetworkOptimizer(options)
    optimizer.frozen = step.frozen
    for number in 0..<3 {
      let expected = try step.run(sample.plan, batch).loss
      let found = try network.step(sample.network.images, labels: batch.labels, optimizer)
      #expect(abs(found - expected) < 1e-3 * abs(expected), "step \(number)")
    }
    let after = network.parameters.stateDict
    #expect(after["layer1.0.conv1.weight"] == sample.network.tensors["layer1.0.conv1.weight"])
    #expect(after["layer1.0.conv2.weight"] != sample.network.tensors["layer1.0.conv2.weight"])
  }

  /// Steps along gradients that do not depend on the parameters, those of a linear layer, so that no error feeds on itself.
  @Test(arguments: optimizers, InstructionSet.available)
  func optimizersAgreeWithTheReference(_ rule: (name: String, attributes: Attributes), _ set: InstructionSet) throws {
    let options = try OptimizerOptions(name: rule.name, attributes: rule.attributes)
    let layer = NetworkLayer(name: "fc", try LinearProblem(batch: 3, inputFeatures: 37, outputFeatures: 5))
    var weights: [String: AnyTensor] = [:]
    var expected: [String: (p: Tensor<Double>, state: OptimizerState<Double>)] = [:]
    for (seed, parameter) in layer.parameters.enumerated() {
      let values = Tensor<Float>(splitMix64Uniform: parameter.shape, seed: UInt64(seed), low: -1, high: 1)
      weights[parameter.name] = .float32(values)
      expected[parameter.name] = (values.map { Double($0) }, OptimizerState())
    }
    let network = try TrainingNetwork(layer, weights: weights, instructionSet: set)
    let optimizer = try NetworkOptimizer(options, threads: 2, instructionSet: set)
    let steps = 6
    for step in 0..<steps {
      try network.forward(Tensor(splitMix64Uniform: [3, 37], seed: UInt64(10 + step), low: -1, high: 1))
      try network.backward(["y": Tensor(splitMix64Uniform: [3, 5], seed: UInt64(20 + step), low: -1, high: 1)])
      for name in expected.keys {
        var (p, state) = try #require(expected[name])
        let gradient = try network.parameters.gradient(of: name).map { Double($0) }
        try Optimizer(options).step(&p, gradient: gradient, state: &state)
        expected[name] = (p, state)
      }
      try optimizer.step(network.parameters)
    }
    let found = network.parameters.stateDict
    for (name, (p, _)) in expected {
      let values = try #require(found[name]?.floating(as: Float.self))
      for (a, b) in zip(values.elements, p.elements) {
        // A step is below 0.1 with some ten roundings, and its sum with p, below 2, one more.
        #expect(abs(Double(a) - b) <= Double(steps) * 0x1p-24 * (0.1 * 10 + 2), "\(name)")
      }
    }
  }

  /// Stopped after two steps and gone on with from what is saved, on other buffers and more threads.
  @Test(arguments: optimizers) func goesOnExactly(_ rule: (name: String, attributes: Attributes)) throws {
    let sample = try TrainingSample(.resnet18.scaled(toWidth: 8), batch: 4, side: 32)
    let options = try OptimizerOptions(name: rule.name, attributes: rule.attributes)
    func network(_ weights: [String: AnyTensor], threads: Int) throws -> TrainingNetwork {
      try TrainingNetwork(sample.plan, weights: weights, threads: threads, strategies: .automatic(nil))
    }
    let whole = try network(sample.network.tensors, threads: 1)
    let optimizer = try NetworkOptimizer(options)
    var saved: (weights: [String: AnyTensor], memory: [String: NetworkOptimizer.State])?
    for number in 0..<4 {
      if number == 2 { saved = (whole.parameters.stateDict, optimizer.states(of: whole.parameters)) }
      try whole.step(sample.network.images, labels: Self.labels(4), optimizer)
    }
    let (weights, memory) = try #require(saved)
    let rest = try network(weights, threads: 2)
    let other = try NetworkOptimizer(options, threads: 2)
    try other.restore(memory, for: rest.parameters)
    for _ in 0..<2 { try rest.step(sample.network.images, labels: Self.labels(4), other) }
    #expect(rest.parameters.stateDict == whole.parameters.stateDict)
  }

  /// A last mini-batch that is smaller has a network of its own, on the same parameters.
  @Test func batchesOfTwoSizesShareParameters() throws {
    let sample = try TrainingSample(.resnet18.scaled(toWidth: 8), batch: 4, side: 64)
    let smaller = try TrainingSample(.resnet18.scaled(toWidth: 8), batch: 2, side: 64)
    let parameters = NetworkParameters()
    let optimizer = try NetworkOptimizer(OptimizerOptions(name: "sgd", attributes: Attributes(["lr": .real(0.01)])))
    let large = try TrainingNetwork(
      sample.plan, weights: sample.network.tensors, parameters: parameters, strategies: .automatic(nil))
    let small = try TrainingNetwork(smaller.plan, parameters: parameters, strategies: .automatic(nil))
    var step = TrainingStep(
      state: sample.network.state.map { Double($0) },
      optimizer: Optimizer(try OptimizerOptions(name: "sgd", attributes: Attributes(["lr": .real(0.01)]))))
    for (network, own) in [(large, sample), (small, smaller), (large, sample)] {
      let labels = Self.labels(own.network.images.shape[0])
      let expected = try step.run(
        own.plan, LabelledImages(images: own.network.images.map { Double($0) }, labels: labels)
      ).loss
      let found = try network.step(own.network.images, labels: labels, optimizer)
      #expect(abs(found - expected) < 1e-3 * expected)
    }
  }

  /// Every pass of every convolution is timed, and times decide strategies.
  @Test func strategiesAreMeasuredInPlace() throws {
    let sample = try TrainingSample(.resnet18.scaled(toWidth: 16), batch: 2, side: 32)
    let plans = ConvolutionPlans(path: nil)
    let set = try InstructionSet.selected()
    let measured = try TrainingMeasurement(
      sample.plan, weights: sample.network.tensors, threads: 1, instructionSet: set, rounds: 1, plans: plans)
    let convolutions = sample.plan.layers.count { $0.problem is Conv2dProblem } + 1
    for pass in ConvolutionPass.allCases {
      // Nobody asks for the images' gradient.
      let expected = pass == .backwardData ? convolutions - 1 : convolutions
      #expect(measured.passes.filter { $0.pass == pass }.reduce(0) { $0 + $1.count } == expected)
    }
    let network = try TrainingNetwork(
      sample.plan, weights: sample.network.tensors, instructionSet: set, strategies: .automatic(plans))
    try network.forward(sample.network.images)
    try network.backward(["logits": sample.dLogits])
    for found in network.passTimes {
      let pass = try #require(measured.passes.first { $0.problem == found.problem && $0.pass == found.pass })
      #expect(found.strategy == pass.nanoseconds.min { $0.value < $1.value }?.key)
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let sample = try TrainingSample(.resnet18.scaled(toWidth: 8), batch: 2, side: 64)
    let network = try TrainingNetwork(sample.plan, weights: sample.network.tensors)
    #expect(throws: ExecutionError.self) { try network.forward(Tensor(shape: [1, 3, 64, 64], repeating: 0)) }
    try network.forward(sample.network.images)
    #expect(throws: ExecutionError.self) { try network.backward([:]) }
    #expect(throws: ExecutionError.self) { try network.backward(["logits": Tensor(shape: [2, 6], repeating: 0)]) }
    #expect(throws: ExecutionError.self) { try network.inputGradient() }
    #expect(throws: ExecutionError.self) { try network.result("stage9") }
    #expect(throws: ExecutionError.self) { try network.parameters.gradient(of: "layer9.weight") }
    #expect(throws: ExecutionError.self) { try TrainingNetwork(sample.plan, weights: [:]) }
    let optimizer = try NetworkOptimizer(OptimizerOptions(name: "adam", attributes: Attributes(["lr": .real(0.01)])))
    #expect(throws: ExecutionError.self) {
      try optimizer.restore(["fc.bias": .init(step: 1, tensors: [:])], for: network.parameters)
    }
    let labels = Tensor<Int64>(shape: [2], elements: [0, 7])
    #expect(throws: ExecutionError.self) { try network.step(sample.network.images, labels: labels, optimizer) }
  }
}
