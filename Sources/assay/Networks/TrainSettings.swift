import ArgumentParser
import Problems
import Reference

/// What decides a training run; a resumed one takes it from its checkpoint.
struct TrainSettings: ParsableArguments {
  @Option(help: "The architecture (default: simple_resnet).")
  var model: String?

  @Option(help: "Planes of the first stage; the others follow in proportion.")
  var width: Int?

  @Option(help: "Number of classes (default: as many as the labels need).")
  var classes: Int?

  @Option(help: "Images in a mini-batch.")
  var batch = 32

  @Option(help: "sgd, adam or adamw.")
  var optimizer = "adam"

  @Option(help: "Learning rate (default: 0.1 for sgd, 0.001 otherwise).")
  var lr: Double?

  @Option(help: "Momentum of sgd.")
  var momentum = 0.9

  @Flag(help: "Nesterov's momentum.")
  var nesterov = false

  @Option(help: "Weight decay (default: PyTorch's).")
  var weightDecay: Double?

  @Option(help: "Learning rate over the epochs: constant, cosine, or step:EPOCHS:FACTOR.")
  var schedule = "cosine"

  @Option(help: "Seed of the initial values and of the order of the images.")
  var seed: UInt64 = 0

  @Flag(help: "Let each block start as its shortcut.")
  var zeroInitResidual = false

  /// - Throws: ``ProblemError`` or a usage error.
  func options(classCount: Int, epochs: Int) throws -> TrainingOptions {
    guard batch >= 1 else { throw ValidationError("--batch: expected at least 1, found \(batch)") }
    var attributes = Attributes(["lr": .real(lr ?? (optimizer == "sgd" ? 0.1 : 1e-3))])
    if optimizer == "sgd" {
      attributes["momentum"] = .real(momentum)
      attributes["nesterov"] = .boolean(nesterov)
    }
    attributes["weight_decay"] = weightDecay.map(AttributeValue.real)
    let rule: OptimizerOptions
    do throws(ProblemError) { rule = try OptimizerOptions(name: optimizer, attributes: attributes) } catch {
      throw ValidationError("\(error)")
    }
    return TrainingOptions(
      architecture: try NetworkSession.architecture(model ?? "simple_resnet", width: width), classCount: classCount,
      batchSize: batch, optimizer: rule, schedule: try Self.schedule(schedule, epochs: epochs), seed: seed)
  }

  static func schedule(_ text: String, epochs: Int) throws -> LearningRateSchedule {
    let parts = text.split(separator: ":")
    switch parts.first {
    case "constant" where parts.count == 1: return .constant
    case "cosine" where parts.count == 1: return .cosine(epochs: epochs)
    case "step" where parts.count == 3:
      if let every = Int(parts[1]), every >= 1, let factor = Double(parts[2]), factor > 0 {
        return .step(epochs: every, factor: factor)
      }
    default: break
    }
    throw ValidationError("--schedule '\(text)': expected constant, cosine, or step:EPOCHS:FACTOR")
  }
}
