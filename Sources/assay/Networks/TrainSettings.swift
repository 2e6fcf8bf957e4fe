import ArgumentParser
import NetworkFiles
import Problems
import Operations

/// What decides a training run; a resumed one takes it from its checkpoint, and nothing else.
struct TrainSettings: ParsableArguments {
  @Option(help: "The architecture (default: simple_resnet).")
  var model: String?

  @Option(help: "Planes of the first stage; the others follow in proportion.")
  var width: Int?

  @Option(help: "Number of classes (default: as many as the labels need).")
  var classes: Int?

  @Option(help: "Images in a mini-batch (default: 32).")
  var batch: Int?

  @Option(help: "sgd, adam or adamw (default: adam).")
  var optimizer: String?

  @Option(help: "Learning rate (default: 0.1 for sgd, 0.001 otherwise).")
  var lr: Double?

  @Option(help: "Momentum of sgd (default: 0.9).")
  var momentum: Double?

  @Flag(help: "Nesterov's momentum.")
  var nesterov = false

  @Option(help: "Weight decay (default: PyTorch's).")
  var weightDecay: Double?

  @Option(
    help: """
      Learning rate over the epochs: constant, step:EPOCHS:FACTOR, or cosine:EPOCHS, which falls to 0 in that many \
      epochs (default: cosine over --epochs). A resumed run may be given another one.
      """)
  var schedule: String?

  @Option(help: "Epochs in which the learning rate rises to what the schedule says (default: 0).")
  var warmup: Int?

  @Option(help: "Seed of the initial values and of the order of the images (default: 0).")
  var seed: UInt64?

  @Flag(help: "Let each block start as its shortcut.")
  var zeroInitResidual = false

  @Option(help: "Height and width that pictures of a folder get (default: the network's usual, 224 or 32).")
  var imageSize: Int?

  @OptionGroup var normalization: NormalizationOptions

  @Flag(help: "Normalise by mean and standard deviation of each channel, measured on the training images.")
  var measure = false

  @Option(help: "Parameters that match this glob stay as they are. May be repeated.")
  var freeze: [String] = []

  @Option(
    help: """
      What computes the steps: execution (whole networks at speed; default) or reference (the readable definitions). Each \
      rounds in its own way, so that a checkpoint is gone on from by the same.
      """)
  var engine: NetworkEngine?

  func validate() throws {
    try OptionRange.require(width, "--width", in: OptionRange.width)
    try OptionRange.require(classes, "--classes", in: OptionRange.classes)
    try OptionRange.require(batch, "--batch", in: OptionRange.batch)
    try OptionRange.require(warmup, "--warmup", in: 0...OptionRange.epochs.upperBound)
    try OptionRange.require(imageSize, "--image-size", in: OptionRange.imageSize)
    if measure, normalization.mean != nil {
      throw ValidationError("--measure finds what --mean and --std say: give one of them")
    }
    if let blank = freeze.first(where: { $0.contains(" ") }) {
      throw ValidationError("--freeze '\(blank)': no parameter's name has a blank in it")
    }
  }

  /// The network to train.
  /// - Throws: a usage error.
  func architecture() throws -> ResNetArchitecture {
    try NetworkSession.architecture(model ?? "simple_resnet", width: width)
  }

  /// - Parameters:
  ///   - labelCount: classes that the labels need.
  ///   - architecture: the network.
  ///   - epochs: of the run.
  /// - Throws: ``ProblemError`` or a usage error.
  func options(labelCount: Int, _ architecture: ResNetArchitecture, epochs: Int) throws -> TrainingOptions {
    let optimizer = optimizer ?? "adam"
    var attributes = Attributes(["lr": .real(lr ?? (optimizer == "sgd" ? 0.1 : 1e-3))])
    if optimizer == "sgd" {
      attributes["momentum"] = .real(momentum ?? 0.9)
      attributes["nesterov"] = .boolean(nesterov)
    } else if momentum != nil || nesterov {
      throw ValidationError("--momentum and --nesterov go with --optimizer sgd")
    }
    attributes["weight_decay"] = weightDecay.map(AttributeValue.real)
    let rule: OptimizerOptions
    do throws(ProblemError) { rule = try OptimizerOptions(name: optimizer, attributes: attributes) } catch {
      throw ValidationError("\(error)")
    }
    return TrainingOptions(
      architecture: architecture, classCount: classes ?? labelCount, batchSize: batch ?? 32, optimizer: rule,
      schedule: try schedule(epochs: epochs) ?? .cosine(epochs: epochs), warmupEpochs: warmup ?? 0,
      seed: seed ?? 0)
  }

  /// The schedule that was asked for.
  /// - Throws: a usage error.
  func schedule(epochs: Int) throws -> LearningRateSchedule? {
    try schedule.map { text in
      guard let found = LearningRateSchedule(text, epochs: epochs) else {
        throw ValidationError("--schedule '\(text)': expected constant, cosine:EPOCHS, or step:EPOCHS:FACTOR")
      }
      return found
    }
  }

  /// Refuses whatever contradicts the checkpoint that a run is to go on from.
  /// - Throws: a usage error that names each option, and what the checkpoint has.
  func requireAgreement(with run: SavedRun) throws {
    let options = run.options
    let rule = options.optimizer.attributes
    var differing: [String] = []
    func compare<Value: Equatable>(_ name: String, _ given: Value?, _ saved: Value?) {
      guard let given, given != saved else { return }
      differing.append("--\(name) \(given) (the checkpoint has \(saved.map { "\($0)" } ?? "none"))")
    }
    compare("model", model, options.architecture.name)
    compare("width", width, options.architecture.widths[0])
    compare("classes", classes, options.classCount)
    compare("batch", batch, options.batchSize)
    compare("optimizer", optimizer, options.optimizer.name)
    compare("lr", lr, options.optimizer.learningRate)
    compare("momentum", momentum, try? rule.real("momentum", default: nil))
    compare("nesterov", nesterov ? true : nil, try? rule.boolean("nesterov", default: false))
    compare("weight-decay", weightDecay, try? rule.real("weight_decay", default: nil))
    compare("warmup", warmup, options.warmupEpochs)
    compare("seed", seed, options.seed)
    compare("engine", engine?.rawValue, run.engine)
    if !freeze.isEmpty { compare("freeze", freeze.sorted(), run.freeze.sorted()) }
    if let given = try normalization.normalization(), given != run.normalization {
      differing.append("--mean and --std (the checkpoint has \(run.normalization?.text ?? "none"))")
    }
    if measure { differing.append("--measure (a checkpoint has its mean and standard deviation already)") }
    if zeroInitResidual { differing.append("--zero-init-residual (a checkpoint has its values already)") }
    guard differing.isEmpty else {
      throw ValidationError(
        "--resume goes on with its checkpoint's settings; it cannot take \(differing.joined(separator: ", ")). "
          + "To start another run from these weights, use --init.")
    }
  }
}
