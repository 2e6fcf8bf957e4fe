import GoldenFiles
import Problems
import Operations
import Tensors

/// What a checkpoint says about its run: all that must be the same for it to go on as if it had never stopped.
public struct SavedRun: Sendable {
  /// Images of a mini-batch that a run may have.
  public static let batchSizes = 1...65_536

  public var options: TrainingOptions
  /// Globs of parameters that stay as they are.
  public var freeze: [String]
  /// What the images were divided by; `nil` where the checkpoint does not say.
  public var imageScale: Double?
  /// What their channels were normalised by then; `nil` where they were not.
  public var normalization: ImageNormalization?
  /// Height and width that pictures got; `nil` where they were no pictures.
  public var imageSize: Int?
  /// The classes' names, of pictures; empty otherwise.
  public var classNames: [String] = []
  /// What computes the steps: another rounds otherwise.
  public var engine: String

  public init(
    options: TrainingOptions, freeze: [String], imageScale: Double?, normalization: ImageNormalization? = nil,
    engine: String = "reference"
  ) {
    self.options = options
    self.freeze = freeze
    self.imageScale = imageScale
    self.normalization = normalization
    self.engine = engine
  }

  /// - Throws: ``GoldenFiles/GoldenFileError`` when the file is no checkpoint or says something that cannot be;
  ///   ``Problems/ProblemError`` for an architecture or an optimiser that does not exist.
  public init(_ file: WeightsFile, from path: String) throws {
    guard let checkpoint = file.checkpoint else {
      throw GoldenFileError(
        .missing, file: path, object: "/training", expected: "a checkpoint of assay train", found: "weights alone",
        advice: "start from weights with --init")
    }
    func setting<Value>(_ name: String, _ expected: String, _ parse: (String) -> Value?) throws -> Value {
      guard let text = checkpoint.settings[name], let value = parse(text) else {
        throw GoldenFileError(
          .inconsistent, file: path, object: "/training@\(name)", expected: expected,
          found: checkpoint.settings[name].map { "\"\($0)\"" } ?? "none")
      }
      return value
    }
    var attributes = Attributes()
    for word in try setting("optimizer_options", "its options", { $0 }).split(separator: " ") {
      let pair = word.split(separator: "=", maxSplits: 1)
      if pair.count == 2 { attributes[String(pair[0])] = AttributeValue(text: pair[1]) }
    }
    options = TrainingOptions(
      architecture: try file.network(from: path), classCount: file.classCount,
      batchSize: try setting("batch_size", "a number from 1 to 65536") {
        Int($0).flatMap { Self.batchSizes.contains($0) ? $0 : nil }
      },
      optimizer: try OptimizerOptions(name: setting("optimizer", "an optimiser") { $0 }, attributes: attributes),
      schedule: try setting("schedule", "constant, cosine:EPOCHS or step:EPOCHS:FACTOR") { LearningRateSchedule($0) },
      warmupEpochs: checkpoint.settings["warmup_epochs"] == nil
        ? 0 : try setting("warmup_epochs", "a number of epochs") { Int($0).flatMap { $0 >= 0 ? $0 : nil } },
      seed: try setting("seed", "a seed") { UInt64($0) })
    freeze = checkpoint.settings["freeze"].map { $0.split(separator: " ").map(String.init) } ?? []
    normalization = file.normalization
    imageSize = file.imageSize
    classNames = checkpoint.settings["class_names"]?.split(separator: "/").map(String.init) ?? []
    imageScale = checkpoint.settings["image_scale"].flatMap { Double($0) }
    // Checkpoints of the time when there was no other do not say.
    engine = checkpoint.settings["engine"] ?? "reference"
  }

  /// As strings, for the file.
  public var settings: [String: String] {
    let values = options.optimizer.attributes.values.sorted { $0.key < $1.key }
    var settings = [
      "batch_size": "\(options.batchSize)", "seed": "\(options.seed)", "schedule": options.schedule.text,
      "optimizer": options.optimizer.name, "engine": engine,
      "optimizer_options": values.map { "\($0.key)=\($0.value.text)" }.joined(separator: " "),
    ]
    settings["warmup_epochs"] = options.warmupEpochs > 0 ? "\(options.warmupEpochs)" : nil
    settings["freeze"] = freeze.isEmpty ? nil : freeze.joined(separator: " ")
    // No name of a folder has a slash in it. What HDF5 has no room for in an attribute is left out.
    let names = classNames.joined(separator: "/")
    settings["class_names"] = names.isEmpty || names.utf8.count > 60_000 ? nil : names
    settings["image_scale"] = imageScale.map { "\($0)" }
    return settings
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
