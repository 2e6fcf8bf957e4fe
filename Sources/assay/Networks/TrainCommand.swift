import ArgumentParser
import Foundation
import GoldenFiles
import Problems
import Reference
import Tensors

/// `assay train`: the training loop on a file of images.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a residual network with the reference implementation.",
    discussion: """
      The data file has images (N, C, H, W), labels (N) and, optionally, split (N: 0 training, 1 held out). The same
      seed gives the same weights, in one go or resumed, on any number of threads. After each epoch the checkpoint is
      replaced as a whole, so that a run that dies leaves the last complete one.

      EXAMPLES:
        assay train --data Fixtures/data/digits.h5 --model simple_resnet --width 12 --epochs 8 --out digits.h5
        assay train --data Fixtures/data/digits.h5 --resume digits.h5 --epochs 10 --out digits.h5
        assay train --data mine.h5 --model resnet18 --init resnet18.h5 --freeze 'layer1.*' --out mine-weights.h5
      """)

  @OptionGroup var settings: TrainSettings

  @Option(help: "The images.", completion: .file(extensions: ["h5"]))
  var data: String

  @Option(help: "Where weights and checkpoint go after each epoch.", completion: .file(extensions: ["h5"]))
  var out: String?

  @Option(help: "Go on from this checkpoint, with its settings.", completion: .file(extensions: ["h5"]))
  var resume: String?

  @Option(
    name: .customLong("init"),
    help: "Start from these weights; what does not fit (another classifier) starts anew.",
    completion: .file(extensions: ["h5"]))
  var initial: String?

  @Option(help: "Parameters that match this glob stay as they are. May be repeated.")
  var freeze: [String] = []

  @Option(help: "How many epochs there are in all.")
  var epochs = 6

  @Option(help: "Threads; they change no bit of the result.")
  var threads = min(2, ProcessInfo.processInfo.activeProcessorCount)

  @Option(help: "Fail (exit code 1) when the held-out accuracy ends below this.")
  var requireAccuracy: Double?

  func run() throws {
    guard epochs >= 1, threads >= 1 else { throw ValidationError("--epochs and --threads: expected at least 1") }
    if resume != nil, initial != nil { throw ValidationError("--resume and --init exclude each other") }
    var accuracy = 0.0
    try NetworkSession.run { accuracy = try train() }
    if let requireAccuracy, accuracy < requireAccuracy {
      NetworkSession.report("the held-out accuracy is \(accuracy), below the required \(requireAccuracy)")
      throw ExitCode(1)
    }
  }

  /// - Returns: the held-out accuracy in the end.
  private func train() throws -> Double {
    let images = try ImagesFile(contentsOf: data)
    var training = try start(classCount: images.classCount)
    let options = training.options
    try NetworkSession.requireClasses(images, data, classCount: options.classCount)
    let trainingImages = try NetworkSession.images(images, rows: images.trainingRows, for: options.architecture)
    let heldOut = try NetworkSession.images(images, rows: images.heldOutRows, for: options.architecture)
    training.step.threads = threads
    training.step.frozen = Set(
      training.step.state.parameters.keys.filter { name in freeze.contains { NamePattern($0).matches(name) } })
    Console.print("epoch   loss     held-out loss  accuracy  seconds")
    var accuracy = 0.0
    if training.epochsDone >= epochs {
      accuracy = try validate(training, heldOut).accuracy
      Console.print(
        "the checkpoint has \(training.epochsDone) epochs already; accuracy \((100 * accuracy).formatted(digits: 2)) %")
    }
    var progress = ProgressLine()
    let first = training.epochsDone
    while training.epochsDone < epochs {
      let clock = ContinuousClock.now
      let epoch = training.epochsDone
      let loss = try training.runEpoch(
        trainingImages,
        progress: { state in
          let done = Double(epoch - first) + Double(state.batch) / Double(state.batchCount)
          progress.show(
            "epoch \(epoch + 1)/\(epochs), batch \(state.batch)/\(state.batchCount), loss "
              + state.runningLoss.formatted(digits: 4), fraction: done / Double(epochs - first))
        }, shouldStop: { Task.isCancelled })
      let result = try validate(training, heldOut)
      accuracy = result.accuracy
      progress.clear()
      let seconds = Double((ContinuousClock.now - clock) / .milliseconds(1)) / 1000
      Console.print(
        "\(String(epoch + 1).padded(5))  \(loss.formatted(digits: 5))  \(result.loss.formatted(digits: 5).padded(13))"
          + "  \((100 * accuracy).formatted(digits: 2).padded(6)) %  \(seconds.formatted(digits: 1).padded(7))")
      fflush(nil)
      if let out { try training.checkpoint().write(to: out) }
    }
    return accuracy
  }

  private func validate(
    _ training: Training<Float>, _ heldOut: LabelledImages<Float>
  ) throws(ProblemError) -> Validation {
    try Validation.run(
      training.options.architecture, classCount: training.options.classCount, state: training.step.state,
      data: heldOut, threads: threads)
  }

  private func start(classCount: Int) throws -> Training<Float> {
    if let resume {
      let file = try WeightsFile(contentsOf: resume)
      return try Training(resuming: file, from: resume, expecting: settings.model)
    }
    let options = try settings.options(classCount: settings.classes ?? classCount, epochs: epochs)
    let plan = try options.plan()
    var state = Initialization(seed: settings.seed, zeroInitResidual: settings.zeroInitResidual)
      .state(of: plan, as: Float.self)
    if let initial {
      let file = try WeightsFile(contentsOf: initial)
      let mismatch = try state.load(file.tensors, into: plan, strict: false)
      if !mismatch.isEmpty { Console.note("note: \(mismatch)") }
    }
    return Training(options: options, state: state)
  }
}

extension String {
  /// Right-aligned in a column.
  fileprivate func padded(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
