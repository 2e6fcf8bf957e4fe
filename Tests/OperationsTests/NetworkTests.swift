import Problems
import Operations
import Tensors
import Testing

@Suite struct NetworkTests {
  /// A network small enough for dual numbers: basic blocks of 2, 4 and 8 planes.
  private func small(training: Bool, classes: Int = 3) throws -> (plan: NetworkPlan, state: NetworkState<Double>) {
    let architecture = try ResNetArchitecture.cifar(depth: 8).scaled(toWidth: 2)
    let plan = try architecture.plan(inputShape: [2, 3, 8, 8], classCount: classes, training: training)
    return (plan, Initialization(seed: 5).state(of: plan))
  }

  @Test(arguments: [false, true])
  func backwardIsTheDerivativeInARandomDirection(training: Bool) throws {
    let (plan, state) = try small(training: training)
    let x = random([2, 3, 8, 8], seed: 6)
    let dLogits = random([2, 3], seed: 7)
    var pass = NetworkPass(state: state)
    _ = try pass.forward(plan, x: x)
    let gradients = try pass.backward(plan, dLogits: dLogits)
    #expect(Set(gradients.keys) == Set(plan.parameters.map(\.name) + ["x"]))
    // Forward mode along one random direction of one tensor at a time: Σ dLogits·J v = ⟨gradient, v⟩.
    for name in gradients.keys.sorted() {
      var duals = state.map { Dual<Double>(constant: $0) }
      var dualX = x.map { Dual<Double>(constant: $0) }
      let gradient = try #require(gradients[name])
      let direction = random(gradient.shape, seed: 8)
      func along(_ tensor: Tensor<Dual<Double>>) -> Tensor<Dual<Double>> {
        var tensor = tensor
        for i in direction.elements.indices { tensor.elements[i].tangent[0] = direction.elements[i] }
        return tensor
      }
      if name == "x" {
        dualX = along(dualX)
      } else {
        duals.parameters[name] = along(try #require(duals.parameters[name]))
      }
      var dualPass = NetworkPass(state: duals)
      dualPass.gates = pass.takenGates
      let logits = try dualPass.forward(plan, x: dualX).logits
      let forward = zip(logits.elements, dLogits.elements).reduce(0) { $0 + $1.0.tangent[0] * $1.1 }
      let backward = zip(gradient.elements, direction.elements).reduce(0) { $0 + $1.0 * $1.1 }
      // Both are sums of one path product each way; the scale is that of the terms.
      let scale = zip(gradient.elements, direction.elements).reduce(1) { $0 + abs($1.0 * $1.1) }
      #expect(abs(forward - backward) < allowedDifference * scale, "\(name)")
    }
  }

  @Test func stagesHaveTheirOwnCotangents() throws {
    let (plan, state) = try small(training: false)
    var pass = NetworkPass(state: state)
    _ = try pass.forward(plan, x: random([2, 3, 8, 8], seed: 6))
    let none = Tensor<Double>(zeros: plan.logitsShape)
    let stage = random(plan.stageShapes[0], seed: 9)
    let gradients = try pass.backward(plan, dLogits: none, dStages: [0: stage])
    #expect(gradients["layer1.0.conv1.weight"]?.elements.contains { $0 != 0 } == true)
    #expect(gradients["layer2.0.conv1.weight"]?.elements.allSatisfy { $0 == 0 } == true)
  }

  @Test func threadsAndRecordsChangeNothing() throws {
    let (plan, state) = try small(training: true)
    let x = random([2, 3, 8, 8], seed: 6)
    var one = NetworkPass(state: state)
    var three = NetworkPass(state: state)
    three.threads = 3
    #expect(try one.forward(plan, x: x).logits == three.forward(plan, x: x).logits)
    let dLogits = random([2, 3], seed: 7)
    #expect(try one.backward(plan, dLogits: dLogits) == three.backward(plan, dLogits: dLogits))
    var bare = NetworkPass(state: state)
    bare.keepsRecords = false
    #expect(try bare.forward(plan, x: x).logits == one.forward(plan, x: x).logits)
    #expect(throws: ProblemError.self) { try bare.backward(plan, dLogits: dLogits) }
  }

  @Test func outputsCanBePerturbedAndObserved() throws {
    let (plan, state) = try small(training: false)
    let x = random([2, 3, 8, 8], seed: 6)
    var pass = NetworkPass(state: state)
    let exact = try pass.forward(plan, x: x).logits
    var names: [String] = []
    var perturbed = NetworkPass(state: state)
    perturbed.observe = { names.append($0.layer.name) }
    perturbed.transform = { _, y in y.map { $0 * (1 + 0x1p-24) } }
    let logits = try perturbed.forward(plan, x: x).logits
    #expect(names == plan.layers.map(\.name))
    let distance = difference(logits, exact)
    #expect(distance > 0 && distance < 1e-4)
  }

  @Test func resumedTrainingIsTheSameToTheBit() throws {
    let architecture = try ResNetArchitecture.cifar(depth: 8).scaled(toWidth: 2)
    let images = random([10, 3, 8, 8], seed: 1).map { Float($0) }
    let labels = Tensor<Int64>(shape: [10], elements: (0..<10).map { Int64($0 % 3) })
    let data = LabelledImages(images: images, labels: labels)
    let options = TrainingOptions(
      architecture: architecture, classCount: 3, batchSize: 4, optimizer: .adam(try AdamOptions(amsgrad: true)),
      schedule: .cosine(epochs: 4), seed: 11)
    let plan = try architecture.plan(inputShape: [4, 3, 8, 8], classCount: 3, training: true)
    let initial = Initialization(seed: 11).state(of: plan, as: Float.self)
    var whole = Training(options: options, state: initial)
    var losses: [Double] = []
    for _ in 0..<4 { losses.append(try whole.runEpoch(data)) }
    #expect(losses[3] < losses[0])
    var first = Training(options: options, state: initial)
    for _ in 0..<2 { try first.runEpoch(data) }
    var second = Training(options: options, state: first.step.state, epochsDone: first.epochsDone)
    second.step.optimizerStates = first.step.optimizerStates
    second.step.threads = 2
    for _ in 0..<2 { try second.runEpoch(data) }
    #expect(second.step.state.parameters == whole.step.state.parameters)
    #expect(second.step.state.buffers["bn1"]?.runningMean == whole.step.state.buffers["bn1"]?.runningMean)
    #expect(second.step.state.buffers["bn1"]?.batchesTracked == 12)
  }

  @Test func frozenParametersStay() throws {
    let (plan, state) = try small(training: true)
    var step = TrainingStep(state: state, optimizer: Optimizer(.sgd(try SGDOptions(learningRate: 0.1))))
    step.frozen = ["conv1.weight"]
    let batch = LabelledImages(
      images: random([2, 3, 8, 8], seed: 6), labels: Tensor<Int64>(shape: [2], elements: [0, 2]))
    _ = try step.run(plan, batch)
    #expect(step.state.parameters["conv1.weight"] == state.parameters["conv1.weight"])
    #expect(step.state.parameters["fc.weight"] != state.parameters["fc.weight"])
  }

  @Test func strictLoadingNamesWhatDiffers() throws {
    let (plan, state) = try small(training: false)
    var tensors = state.stateDict(AnyTensor.float64)
    tensors["fc.weight"] = .float64(Tensor(zeros: [5, 8]))
    tensors["extra"] = .float64(Tensor(zeros: [1]))
    tensors["bn1.weight"] = nil
    tensors["bn1.num_batches_tracked"] = nil
    var other = Initialization(seed: 99).state(of: plan, as: Double.self)
    let before = other.parameters
    let error = #expect(throws: StateDictMismatch.self) { try other.load(tensors, into: plan) }
    #expect(error?.missing == ["bn1.weight"] && error?.unexpected == ["extra"] && error?.misshapen.count == 1)
    #expect(other.parameters == before)
    try other.load(tensors, into: plan, strict: false)
    #expect(other.parameters["conv1.weight"] == state.parameters["conv1.weight"])
    #expect(other.parameters["fc.weight"] == before["fc.weight"])
  }

  @Test func schedules() {
    #expect(LearningRateSchedule.step(epochs: 2, factor: 0.5).factor(epoch: 5) == 0.25)
    #expect(LearningRateSchedule.cosine(epochs: 4).factor(epoch: 0) == 1)
    #expect(abs(LearningRateSchedule.cosine(epochs: 4).factor(epoch: 2) - 0.5) < 0x1p-52)
  }
}
