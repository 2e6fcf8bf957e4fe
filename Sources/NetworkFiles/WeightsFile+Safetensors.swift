import GoldenFiles
import Operations
import OperatingSystem
import Problems
import Results
import Tensors

// Weights as a safetensors file: tensors under their `state_dict` names, as PyTorch's tools take them, what HDF5's attributes
// say in the metadata, what the optimiser remembers under `optimizer.<parameter>.<name>`, and the run's epochs under
// `training.history`.

extension WeightsFile {
  private static let memoryPrefix = "optimizer."
  private static let settingPrefix = "training."
  private static let historyName = "training.history"
  private static let stepName = "step"

  /// - Parameters:
  ///   - file: one that ``safetensors`` made, or tensors alone, whose network is told from their names and shapes.
  ///   - path: where it was read, for messages.
  /// - Throws: ``GoldenFiles/GoldenFileError`` when it is of another schema, or no network's.
  package init(_ file: SafetensorsFile, from path: String) throws(GoldenFileError) {
    guard file.metadata["schema"] == Self.schema else {
      self = try Self.foreign(file.tensors, from: path)
      return
    }
    func number(_ name: String) throws(GoldenFileError) -> Int? {
      guard let text = file.metadata[name] else { return nil }
      guard let number = Int(text) else {
        throw GoldenFileError(
          .inconsistent, file: path, object: "/__metadata__@\(name)", expected: "an integer", found: "'\(text)'")
      }
      return number
    }
    /// Without what is no number: too few are refused.
    func numbers(_ name: String) -> [Double]? {
      file.metadata[name].map { $0.split(separator: ",").compactMap { Double($0) } }
    }
    let version = try number("schema_version") ?? 0
    guard version <= Self.version else {
      throw GoldenFileError(
        .newerSchema, file: path, expected: "schema version \(Self.version) at most", found: "\(version)")
    }
    guard let architecture = file.metadata["architecture"], let classCount = try number("num_classes") else {
      throw GoldenFileError(
        .missing, file: path, object: "/__metadata__", expected: "architecture and num_classes", found: "not both")
    }
    let isMemory = { (name: String) in name.hasPrefix(Self.memoryPrefix) }
    self.init(
      architecture: architecture, classCount: classCount, width: try number("width"),
      normalization: try Self.normalization(mean: numbers("image_mean"), std: numbers("image_std"), from: path),
      imageSize: try number("image_size"),
      tensors: file.tensors.filter { !isMemory($0.key) && $0.key != Self.historyName })
    guard let epochs = try number("epochs_done") else { return }
    guard epochs >= 0 else {
      throw GoldenFileError(
        .inconsistent, file: path, object: "/__metadata__@epochs_done", expected: "a number of epochs",
        found: "\(epochs)")
    }
    var settings: [String: String] = [:]
    for (name, text) in file.metadata where name.hasPrefix(Self.settingPrefix) {
      settings[String(name.dropFirst(Self.settingPrefix.count))] = text
    }
    let memory = try Self.memory(file.tensors.filter { isMemory($0.key) }, from: path)
    checkpoint = Checkpoint(epochsDone: epochs, settings: settings, optimizer: memory)
    if let history = file.tensors[Self.historyName] {
      checkpoint?.history = try TrainingHistory(history, at: "/\(Self.historyName)", of: path)
    }
  }

  private static func memory(
    _ tensors: [String: AnyTensor], from path: String
  ) throws(GoldenFileError) -> [String: Checkpoint.Memory] {
    var memory: [String: Checkpoint.Memory] = [:]
    var steps: [String: Int] = [:]
    for (name, tensor) in tensors {
      let parts = name.dropFirst(memoryPrefix.count).split(separator: ".", omittingEmptySubsequences: false)
      let (parameter, key) = (parts.dropLast().joined(separator: "."), String(parts.last ?? ""))
      memory[parameter, default: .init(step: 0, tensors: [:])].tensors[key] = tensor
      guard key == stepName else { continue }
      memory[parameter]?.tensors[key] = nil
      guard let step = tensor.integers?.elements.first, tensor.shape.count == 1 else {
        throw GoldenFileError(
          .wrongType, file: path, object: "/\(name)", expected: "one integer",
          found: "\(tensor.dtype.rawValue) of shape \(tensor.shape)")
      }
      steps[parameter] = Int(step)
    }
    for parameter in memory.keys {
      guard let step = steps[parameter] else {
        throw GoldenFileError(
          .missing, file: path, object: "/\(memoryPrefix)\(parameter).\(stepName)", expected: "a number of steps",
          found: "none")
      }
      memory[parameter]?.step = step
    }
    return memory
  }

  /// Tensors of another program's, such as torchvision's or timm's; DataParallel's `module.` is taken off their names.
  private static func foreign(
    _ tensors: [String: AnyTensor], from path: String
  ) throws(GoldenFileError) -> WeightsFile {
    let wrapper = "module."
    var tensors = tensors
    if !tensors.isEmpty, tensors.keys.allSatisfy({ $0.hasPrefix(wrapper) }) {
      tensors = Dictionary(uniqueKeysWithValues: tensors.map { (String($0.key.dropFirst(wrapper.count)), $0.value) })
    }
    guard let classifier = tensors["fc.weight"], classifier.shape.rank == 2, classifier.shape[0] > 0 else {
      throw GoldenFileError(
        .missing, file: path, object: "/fc.weight", expected: "a residual network's classifier (classes, features)",
        found: tensors["fc.weight"].map { "shape \($0.shape)" }
          ?? "\(tensors.count) tensors: \(tensors.keys.sorted().prefix(3).joined(separator: ", ")) …",
        advice: "name the tensors as torchvision's state_dict does")
    }
    let found = ResNetArchitecture(recognising: tensors, classCount: classifier.shape[0])
    return WeightsFile(
      architecture: found?.name, classCount: classifier.shape[0], width: found?.otherWidth, tensors: tensors)
  }

  /// What ``init(_:from:)`` reads back. Half-precision tensors stay what they are.
  package var safetensors: SafetensorsFile {
    // What other programs look for: the tensors are laid out as PyTorch has them.
    var metadata = ["format": "pt", "schema": Self.schema, "schema_version": "\(Self.version)"]
    metadata["architecture"] = architecture
    metadata["num_classes"] = "\(classCount)"
    metadata["width"] = width.map { "\($0)" }
    metadata["image_size"] = imageSize.map { "\($0)" }
    // The shortest decimals that read back as the same doubles.
    metadata["image_mean"] = normalization.map { $0.mean.map { "\($0)" }.joined(separator: ",") }
    metadata["image_std"] = normalization.map { $0.std.map { "\($0)" }.joined(separator: ",") }
    var tensors = tensors
    if let checkpoint {
      metadata["epochs_done"] = "\(checkpoint.epochsDone)"
      if !checkpoint.history.epochs.isEmpty { tensors[Self.historyName] = checkpoint.history.tensor }
      for (name, text) in checkpoint.settings { metadata[Self.settingPrefix + name] = text }
      for (parameter, memory) in checkpoint.optimizer {
        let prefix = "\(Self.memoryPrefix)\(parameter)."
        tensors[prefix + Self.stepName] = .int64(Tensor(shape: [], elements: [Int64(memory.step)]))
        for (key, tensor) in memory.tensors { tensors[prefix + key] = tensor }
      }
    }
    return SafetensorsFile(tensors: tensors, metadata: metadata)
  }
}

extension ResNetArchitecture {
  /// The architecture whose `state_dict` has these names and shapes.
  init?(recognising tensors: [String: AnyTensor], classCount: Int) {
    guard let stem = tensors["conv1.weight"]?.shape, stem.rank == 4, WeightsFile.widths.contains(stem[0]) else {
      return nil
    }
    let first = tensors.keys.filter { $0.hasPrefix("layer1.") }
    let blocks = Set(first.compactMap { $0.split(separator: ".").dropFirst().first }).count
    // Only the CIFAR family has three stages.
    let isCIFAR = !tensors.keys.contains { $0.hasPrefix("layer4.") }
    let candidates = isCIFAR ? [try? ResNetArchitecture.cifar(depth: 6 * blocks + 2)].compactMap { $0 } : Self.named
    for candidate in candidates {
      let scaled = candidate.scaled(toWidth: stem[0])
      let side = scaled.usualImageSide
      guard let plan = try? scaled.plan(inputShape: [1, 3, side, side], classCount: classCount),
        StateDictMismatch(tensors, for: plan).isEmpty
      else { continue }
      self = scaled
      return
    }
    return nil
  }
}
