import GoldenFiles
import Problems
import Operations
import Results
import Tensors
import TestSupport
import Testing

import NetworkFiles

/// A training run as a file, and back.
@Suite struct CheckpointTests {
  private let folder: TemporaryDirectory
  private let architecture: ResNetArchitecture

  init() throws {
    folder = try TemporaryDirectory()
    architecture = try ResNetArchitecture(named: "cifar_resnet8").scaled(toWidth: 2)
  }

  private var path: String { folder.file("checkpoint.h5").path }

  private func run(_ optimizer: OptimizerOptions, _ schedule: LearningRateSchedule) -> SavedRun {
    SavedRun(
      options: TrainingOptions(
        architecture: architecture, classCount: 3, batchSize: 4, optimizer: optimizer, schedule: schedule,
        warmupEpochs: 3, seed: 7),
      freeze: ["layer1.*", "fc.bias"], imageScale: 255,
      normalization: try? ImageNormalization(mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 1 / 3]))
  }

  private func plan() throws -> NetworkPlan { try architecture.plan(inputShape: [4, 3, 32, 32], classCount: 3) }

  /// A network with an optimiser's memory of one parameter, as a file.
  private func file(_ run: SavedRun) throws -> WeightsFile {
    var training = Training(options: run.options, state: Initialization(seed: 1).state(of: try plan(), as: Float.self))
    var memory = OptimizerState<Float>(step: 5)
    memory.expAvg = Tensor(shape: [3], elements: [1, 2, 3])
    training.step.optimizerStates["fc.bias"] = memory
    return training.checkpoint(run)
  }

  /// The same in either format.
  @Test func bothFormatsHoldTheSame() throws {
    let written = try file(run(OptimizerOptions(name: "adam", attributes: Attributes(["lr": .real(1e-3)])), .constant))
    for name in ["checkpoint.h5", "checkpoint.safetensors"] {
      try written.write(to: folder.file(name).path)
      #expect(try WeightsFile(contentsOf: folder.file(name).path) == written)
    }
  }

  @Test func aStepThatIsMissingOrNone() throws {
    let written = try file(run(OptimizerOptions(name: "adam", attributes: Attributes(["lr": .real(1)])), .constant))
    var tensors = written.safetensors.tensors
    let noInteger = AnyTensor.float32(Tensor(shape: [], elements: [1]))
    for step in [nil, noInteger] {
      tensors["optimizer.fc.bias.step"] = step
      let odd = SafetensorsFile(tensors: tensors, metadata: written.safetensors.metadata)
      let error = #expect(throws: GoldenFileError.self) { try WeightsFile(odd, from: "w.safetensors") }
      #expect(error?.object == "/optimizer.fc.bias.step")
    }
    for (name, text) in [
      ("epochs_done", "-1"), ("epochs_done", "x"), ("num_classes", "1e3"), ("schema_version", "2"),
      ("image_mean", "1,2"), ("image_std", "1,2,x"), ("image_std", "1,2,0"),
    ] {
      var odd = written.safetensors
      odd.metadata[name] = text
      #expect(throws: GoldenFileError.self, "\(name)") { try WeightsFile(odd, from: "w.safetensors") }
    }
  }

  @Test(arguments: [
    ("sgd", ["lr": AttributeValue.real(0.1), "momentum": .real(0.9), "nesterov": .boolean(true)], "step:3:0.5"),
    ("adam", ["lr": .real(1e-3), "betas": .reals([0.9, 0.999])], "cosine:10"),
    ("adamw", ["lr": .real(0.3)], "constant"),
  ])
  func settingsComeBack(optimizer: String, attributes: [String: AttributeValue], schedule: String) throws {
    let saved = run(
      try OptimizerOptions(name: optimizer, attributes: Attributes(attributes)),
      try #require(LearningRateSchedule(schedule)))
    try file(saved).write(to: path)
    let found = try SavedRun(WeightsFile(contentsOf: path), from: path)
    #expect(found.options == saved.options)
    #expect(found.freeze == saved.freeze && found.imageScale == 255)
    #expect(found.normalization == saved.normalization && saved.normalization != nil)
  }

  @Test(arguments: ["checkpoint.h5", "checkpoint.safetensors"])
  func theRunGoesOnWhereItStood(_ name: String) throws {
    let path = folder.file(name).path
    let saved = run(try OptimizerOptions(name: "adam", attributes: Attributes(["lr": .real(1e-3)])), .constant)
    var written = try file(saved)
    written.checkpoint?.epochsDone = 2
    try written.write(to: path)
    let resumed = try Training(resuming: WeightsFile(contentsOf: path), from: path, as: saved, try plan())
    #expect(resumed.epochsDone == 2)
    #expect(resumed.step.optimizerStates["fc.bias"]?.step == 5)
    #expect(resumed.step.optimizerStates["fc.bias"]?.expAvg?.elements == [1, 2, 3])
    #expect(resumed.step.state.stateDict(AnyTensor.float32) == written.tensors)
  }

  @Test(arguments: ["checkpoint.h5", "checkpoint.safetensors"])
  func theEpochsComeBackWithoutTheirTimes(_ name: String) throws {
    let saved = run(try OptimizerOptions(name: "adam", attributes: Attributes(["lr": .real(1)])), .constant)
    let epochs = (1...3).map {
      TrainingEpoch(
        epoch: $0, loss: 1 / Double($0), judgedLoss: 0.1, accuracy: 0.5, learningRate: 1e-3, seconds: 2,
        imagesPerSecond: 7)
    }
    let plan = try plan()
    let training = Training(options: saved.options, state: Initialization(seed: 1).state(of: plan, as: Float.self))
    let path = folder.file(name).path
    try training.checkpoint(saved, history: TrainingHistory(epochs)).write(to: path)
    let found = try #require(WeightsFile(contentsOf: path).checkpoint?.history)
    #expect(found.epochs == epochs.map(\.untimed))
    #expect(found.best?.epoch == 1 && found.epochsSinceBest == 2 && !found.lastIsBest)
  }

  @Test(arguments: [
    AnyTensor.int64(Tensor(shape: [1, 5], repeating: 1)), .float64(Tensor(shape: [5], repeating: 1)),
    .float64(Tensor(shape: [1, 4], repeating: 1)), .float64(Tensor(shape: [2, 5], repeating: 1)),
    .float64(Tensor(shape: [1, 5], elements: [1, .nan, 0, 0, 0])),
    .float64(Tensor(shape: [1, 5], elements: [0, 0, 0, 0, 0])),
    .float64(Tensor(shape: [1, 5], elements: [1.5, 0, 0, 0, 0])),
    .float64(Tensor(shape: [1, 5], elements: [1e300, 0, 0, 0, 0])),
  ])
  func epochsThatNoRunHas(_ tensor: AnyTensor) throws {
    let error = #expect(throws: GoldenFileError.self) { try TrainingHistory(tensor, at: "/history", of: "w.h5") }
    #expect(error?.object.hasPrefix("/history") == true)
  }

  /// What a file may say that no run has: each is an error with its place.
  @Test(arguments: [
    ("batch_size", "0"), ("batch_size", "many"), ("optimizer", nil), ("schedule", "cosine:0"), ("seed", "-1"),
    ("warmup_epochs", "-1"),
    ("warmup_epochs", "x"),
  ])
  func settingsThatNoRunHas(name: String, value: String?) throws {
    var written = try file(run(OptimizerOptions(name: "sgd", attributes: Attributes(["lr": .real(1)])), .constant))
    written.checkpoint?.settings[name] = value
    let error = #expect(throws: GoldenFileError.self) { try SavedRun(written, from: "w.h5") }
    #expect(error?.object == "/training@\(name)" && error?.file == "w.h5")
  }

  @Test func filesThatFitNoNetwork() throws {
    let saved = run(try OptimizerOptions(name: "adam", attributes: Attributes(["lr": .real(1)])), .constant)
    let whole = try file(saved)
    var weights = whole
    weights.checkpoint = nil
    #expect(throws: GoldenFileError.self) { try SavedRun(weights, from: "w.h5") }
    for width in [0, -3, 5_000] {
      weights.width = width
      let error = #expect(throws: GoldenFileError.self) { try weights.network(from: "w.h5") }
      #expect(error?.object == "/@width")
    }
    var other = whole
    let memory = try #require(whole.checkpoint?.optimizer["fc.bias"])
    other.checkpoint?.optimizer = ["fc.nothing": memory]
    let plan = try plan()
    #expect(throws: GoldenFileError.self) { try Training(resuming: other, from: "w.h5", as: saved, plan) }
    other.checkpoint?.optimizer = ["fc.weight": memory]
    let error = #expect(throws: GoldenFileError.self) { try Training(resuming: other, from: "w.h5", as: saved, plan) }
    #expect(error?.object == "/optimizer/fc.weight/exp_avg")
    other = whole
    other.tensors["fc.bias"] = .float32(Tensor(shape: [3], elements: [0, .nan, 0]))
    let value = #expect(throws: GoldenFileError.self) { try other.state(of: plan, from: "w.h5") }
    #expect(value?.object == "/state_dict/fc.bias[1]")
    other.tensors["fc.bias"] = nil
    #expect(throws: StateDictMismatch.self) { try other.state(of: plan, from: "w.h5") }
  }
}
