import ArgumentParser
import Foundation
import GoldenFiles
import Problems
import Reference
import Tensors

/// `assay evaluate`: the validation loop on a file of images.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Judge a network by images that it was not trained on.",
    discussion: """
      The data file has images (N, C, H, W), labels (N) and, optionally, split (N: 0 training, 1 held out); the held-out
      images are used. Weights come from assay train or from Fixtures/generate/export_state_dict.py.

      EXAMPLES:
        assay evaluate --data Fixtures/data/digits.h5 --weights digits-weights.h5
        assay evaluate --data images.h5 --weights resnet50.h5 --top 5 --require-accuracy 0.75
        assay evaluate --data images.h5 --weights resnet50.h5 --logits logits.h5
      """)

  @Option(help: "The images.", completion: .file(extensions: ["h5"]))
  var data: String

  @Option(help: "The network's weights.", completion: .file(extensions: ["h5"]))
  var weights: String

  @Option(help: "The architecture (default: what the weights file says).")
  var model: String?

  @Option(help: "Also count an image as right when its class is among this many.")
  var top = 5

  @Option(help: "Images computed at once.")
  var batch = 64

  @Option(help: "Threads; they change no bit of the result.")
  var threads = min(2, ProcessInfo.processInfo.activeProcessorCount)

  @Option(
    help: "Write the logits (images, classes) and labels to this file, in the order of the images.",
    completion: .file(extensions: ["h5"]))
  var logits: String?

  @Option(help: "Fail (exit code 1) below this accuracy.")
  var requireAccuracy: Double?

  func run() throws {
    guard batch >= 1, threads >= 1, top >= 1 else {
      throw ValidationError("--batch, --threads and --top: expected at least 1")
    }
    if logits == "" { throw ValidationError("--logits takes the path of a file") }
    var passed = true
    try NetworkSession.run {
      let file = try WeightsFile(contentsOf: weights)
      let architecture =
        try model.map { try NetworkSession.architecture($0, width: file.width) }
        ?? NetworkSession.architecture(of: file, weights)
      let images = try ImagesFile(contentsOf: data)
      try NetworkSession.requireClasses(images, data, classCount: file.classCount)
      let heldOut = try NetworkSession.images(images, rows: images.heldOutRows, for: architecture)
      let plan = try architecture.plan(inputShape: heldOut.batch([0]).images.shape, classCount: file.classCount)
      var state = Initialization(seed: 0).state(of: plan, as: Float.self)
      try state.load(file.tensors, into: plan)
      var progress = ProgressLine()
      var scores: [Float] = []
      let result = try Validation.run(
        architecture, classCount: file.classCount, state: state, data: heldOut, batchSize: batch, k: top,
        threads: threads, observe: { scores += $0.elements }
      ) { progress.show("\($0) of \(heldOut.count) images", fraction: Double($0) / Double(heldOut.count)) }
      progress.clear()
      Console.print(
        "\(result.count) images: loss \(result.loss.formatted(digits: 6)), accuracy "
          + "\((100 * result.accuracy).formatted(digits: 2)) %, top-\(result.k) "
          + "\((100 * result.topAccuracy).formatted(digits: 2)) %")
      if let logits {
        let tensor = Tensor(shape: [heldOut.count, file.classCount], elements: scores)
        try LogitsFile(logits: tensor, labels: heldOut.labels).write(to: logits)
      }
      if let requireAccuracy { passed = result.accuracy >= requireAccuracy }
    }
    if !passed {
      NetworkSession.report("the accuracy is below the required \(requireAccuracy ?? 0)")
      throw ExitCode(1)
    }
  }
}

extension Double {
  func formatted(digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
