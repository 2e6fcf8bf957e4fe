import Foundation
import GoldenFiles
import Problems
import Reference
import Tensors

// How a training run becomes a file and comes back. Neither `Reference` nor `GoldenFiles` knows the other.

extension TrainingOptions {
  /// The training plan of a full mini-batch.
  func plan() throws(ProblemError) -> NetworkPlan {
    let size = architecture.stem == .imageNet ? 224 : 32
    return try architecture.plan(inputShape: [batchSize, 3, size, size], classCount: classCount, training: true)
  }

  /// Planes of the first stage where they are not the architecture's own.
  var width: Int? {
    guard let own = try? ResNetArchitecture(named: architecture.name), own.widths != architecture.widths else {
      return nil
    }
    return architecture.widths[0]
  }

  fileprivate var settings: [String: String] {
    let schedule: String =
      switch self.schedule {
      case .constant: "constant"
      case .cosine(let epochs): "cosine:\(epochs)"
      case .step(let epochs, let factor): "step:\(epochs):\(factor)"
      }
    let values = optimizer.attributes.values.sorted { $0.key < $1.key }
    return [
      "batch_size": "\(batchSize)", "seed": "\(seed)", "schedule": schedule, "optimizer": optimizer.name,
      "optimizer_options": values.map { "\($0.key)=\($0.value.text)" }.joined(separator: " "),
    ]
  }
}

extension AttributeValue {
  /// Exact: Swift prints the shortest decimal that reads back as the same double.
  fileprivate var text: String {
    switch self {
    case .reals(let values): values.map { "\($0)" }.joined(separator: ",")
    default: description
    }
  }

  fileprivate init(text: Substring) {
    let parts = text.split(separator: ",").compactMap { Double($0) }
    switch text {
    case "true": self = .boolean(true)
    case "false": self = .boolean(false)
    default: self = parts.count == 1 ? .real(parts[0]) : .reals(parts)
    }
  }
}

extension Training where Scalar == Float {
  func checkpoint() -> WeightsFile {
    let memory = step.optimizerStates.mapValues { state in
      let tensors = [
        "momentum_buffer": state.momentumBuffer, "exp_avg": state.expAvg, "exp_avg_sq": state.expAvgSq,
        "max_exp_avg_sq": state.maxExpAvgSq,
      ]
      return WeightsFile.Checkpoint.Memory(
        step: state.step, tensors: tensors.compactMapValues { $0.map(AnyTensor.float32) })
    }
    return WeightsFile(
      architecture: options.architecture.name, classCount: options.classCount, width: options.width,
      tensors: step.state.stateDict(AnyTensor.float32),
      checkpoint: .init(epochsDone: epochsDone, settings: options.settings, optimizer: memory))
  }

  /// Goes on where a checkpoint stands.
  /// - Throws: ``GoldenFileError`` when the file is no checkpoint or of another architecture, ``StateDictMismatch``.
  init(resuming file: WeightsFile, from path: String, expecting model: String?) throws {
    func wrong(_ object: String, _ expected: String, _ found: String) -> GoldenFileError {
      GoldenFileError(.inconsistent, file: path, object: object, expected: expected, found: found)
    }
    guard let checkpoint = file.checkpoint else {
      throw GoldenFileError(
        .missing, file: path, object: "/training", expected: "a checkpoint of assay train", found: "weights alone",
        advice: "start from weights with --init")
    }
    if let model, model != file.architecture { throw wrong("/@architecture", model, file.architecture) }
    func setting(_ name: String) throws -> String {
      guard let text = checkpoint.settings[name] else { throw wrong("/training@\(name)", "a setting", "none") }
      return text
    }
    let pairs = try setting("optimizer_options").split(separator: " ").map { $0.split(separator: "=", maxSplits: 1) }
    var attributes = Attributes()
    for pair in pairs where pair.count == 2 { attributes[String(pair[0])] = AttributeValue(text: pair[1]) }
    let rule = try OptimizerOptions(name: try setting("optimizer"), attributes: attributes)
    guard let batchSize = Int(try setting("batch_size")), batchSize >= 1, let seed = UInt64(try setting("seed")) else {
      throw wrong("/training", "a batch size and a seed", "\(checkpoint.settings)")
    }
    let words = try setting("schedule").split(separator: ":").map(String.init)
    let schedule: LearningRateSchedule
    switch (words.first, words.dropFirst().first.flatMap { Int($0) }, words.last.flatMap { Double($0) }) {
    case ("constant", _, _): schedule = .constant
    case ("cosine", let epochs?, _): schedule = .cosine(epochs: epochs)
    case ("step", let epochs?, let factor?): schedule = .step(epochs: epochs, factor: factor)
    default: throw wrong("/training@schedule", "constant, cosine:EPOCHS or step:EPOCHS:FACTOR", "\(words)")
    }
    let options = TrainingOptions(
      architecture: try NetworkSession.architecture(of: file, path), classCount: file.classCount,
      batchSize: batchSize, optimizer: rule, schedule: schedule, seed: seed)
    let plan = try options.plan()
    var state = Initialization(seed: 0).state(of: plan, as: Float.self)
    try state.load(file.tensors, into: plan)
    self.init(options: options, state: state, epochsDone: checkpoint.epochsDone)
    let shapes = Dictionary(uniqueKeysWithValues: plan.parameters.map { ($0.name, $0.shape) })
    for (name, memory) in checkpoint.optimizer.sorted(by: { $0.key < $1.key }) {
      guard let shape = shapes[name] else { throw wrong("/optimizer/\(name)", "a parameter's name", "another") }
      for (key, tensor) in memory.tensors.sorted(by: { $0.key < $1.key }) where tensor.shape != shape {
        throw wrong("/optimizer/\(name)/\(key)", "shape \(shape)", "shape \(tensor.shape)")
      }
      var state = OptimizerState<Float>(step: memory.step)
      state.momentumBuffer = memory.tensors["momentum_buffer"]?.floating()
      state.expAvg = memory.tensors["exp_avg"]?.floating()
      state.expAvgSq = memory.tensors["exp_avg_sq"]?.floating()
      state.maxExpAvgSq = memory.tensors["max_exp_avg_sq"]?.floating()
      step.optimizerStates[name] = state
    }
  }
}
