import ArgumentParser
import Foundation
import NetworkFiles
import OperatingSystem
import Problems
import Operations
import Reporting
import Results
import Synchronization
import Tensors

/// `assay evaluate`: the validation loop on a file of images.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Judge a network by images.",
    discussion: """
      The data are an HDF5 file with images (N, C, H, W), labels (N) and, optionally, split (N: 0 training, 1 held out), or
      CIFAR-10's binary version (a folder with data_batch_1.bin … test_batch.bin, or one such file), or PNG and JPEG files in
      a folder for each class, with or without train and test above them. The held-out images are used, or all of them when
      there is no split. They are normalised as those that the weights were trained on. Weights come from assay train, from a safetensors file with
      torchvision's names, or from Fixtures/generate/export_state_dict.py; Fixtures/FORMAT.md says how pixels become
      numbers.

      EXAMPLES:
        assay evaluate --data Fixtures/data/digits.h5 --weights digits-weights.h5
        assay evaluate --data images.h5 --weights resnet50.h5 --top 5 --require-accuracy 0.75
        assay evaluate --data images.h5 --weights resnet50.h5 --logits logits.h5
        assay evaluate --data images.h5 --weights model.safetensors --model resnet50
        assay evaluate --data images.h5 --weights model.safetensors --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
        assay evaluate --data pictures --weights pictures.h5 --by-class
        assay evaluate --data cifar-10-batches-bin/test_batch.bin --weights cifar.h5

      EXIT CODES: 0 judged, 1 a logit or loss is not finite or the accuracy too low, 2 interrupted, 64 usage, 65 bad data,
      74 the logits cannot be written.
      """)

  @Option(help: "The images: a file or a folder.", completion: .file())
  var data: String

  @Option(help: "The network's weights, HDF5 or safetensors.", completion: .file(extensions: ["h5", "safetensors"]))
  var weights: String

  @Option(help: "The architecture (default: what the weights file says, or its tensors' names and shapes).")
  var model: String?

  @Option(help: "Height and width that pictures of a folder get (default: as in training, else the network's usual).")
  var imageSize: Int?

  @OptionGroup var normalization: NormalizationOptions

  @Option(help: "Also count an image as right when its class is among this many.")
  var top = 5

  @Option(
    help: """
      What computes the network: execution (whole networks at speed) or reference (the readable definitions, some hundred times \
      slower).
      """)
  var engine = NetworkEngine.execution

  @Option(
    help: """
      Images computed at once (default: 8; with --engine reference 64, fewer where a layer would take long). With reference the \
      result is the same, bit for bit; execution may choose other strategies.
      """)
  var batch: Int?

  @Option(help: "Threads; the result is the same, bit for bit.")
  var threads = min(2, ProcessInfo.processInfo.activeProcessorCount)

  @Option(
    help: "Write the logits (images, classes) and labels to this file, in the order of the images.",
    completion: .file(extensions: ["h5"]))
  var logits: String?

  @Flag(help: "Also print how each class came off, and what it was most often taken for.")
  var byClass = false

  @Option(help: "Fail (exit code 1) below this accuracy, from 0 to 1.")
  var requireAccuracy: Double?

  @OptionGroup var json: JSONOption

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  /// Images of a run of ``NetworkEngine/execution``.
  private static let standardBatch = 8

  func validate() throws {
    try OptionRange.require(imageSize, "--image-size", in: OptionRange.imageSize)
    try OptionRange.require(batch, "--batch", in: OptionRange.batch)
    try OptionRange.require(threads, "--threads", in: OptionRange.threads)
    try OptionRange.require(top, "--top", in: OptionRange.top)
    if logits == "" { throw ValidationError("--logits takes the path of a file") }
    try NetworkSession.requireShare(requireAccuracy)
  }

  func run() throws {
    try NetworkSession.run {
      if let logits { try AtomicFile.check(logits) }
      try json.check()
      let file = try NetworkSession.weights(weights)
      let architecture =
        try model.map { try NetworkSession.architecture($0, width: file.width) }
        ?? file.network(from: weights)
      let source = try images(file, architecture)
      let plan = try architecture.plan(
        inputShape: Shape([1] + source.imageShape.dimensions), classCount: file.classCount)
      let state = try file.state(of: plan, from: weights)
      let size = max(1, min(batch ?? Self.standardBatch, source.count))
      let classifier =
        engine == .reference
        ? nil
        : try ExecutionClassifier(
          architecture, weights: state.stateDict { .float32($0) }, classCount: file.classCount,
          imageShape: source.imageShape, batch: size, threads: threads)
      let progress = ProgressDisplay(isQuiet: quiet)
      var scores: [Float] = []
      let judged = Mutex(0)
      let interrupted: @Sendable () throws -> Void = {
        let count = judged.withLock { $0 }
        NetworkSession.report("interrupted: \(count) of \(source.count) images were judged, too few for a result")
        try Outcome.inconclusive.end()
      }
      let result = try Interruption.concluding(with: interrupted) {
        try NetworkSession.naming(source) { () throws(Validation.Failure) in
          let observe = { (logits: Tensor<Float>) in scores += logits.elements }
          let advance = { (count: Int) in
            judged.withLock { $0 = count }
            progress.step(done: count, of: source.count, subject: "images")
          }
          guard let classifier else {
            return try Validation.run(
              architecture, classCount: file.classCount, state: state, data: source, batchSize: batch, k: top,
              threads: threads, observe: observe, progress: advance, shouldStop: { Task.isCancelled })
          }
          return try Validation.run(
            classCount: file.classCount, data: source, batchSize: size, k: top, observe: observe, progress: advance,
            shouldStop: { Task.isCancelled }, network: classifier.logits)
        }
      }
      progress.clear()
      guard result.count == source.count else { return try interrupted() }
      Console.print(
        "\(result.count) images: loss \(result.loss.formatted(digits: 6)), accuracy "
          + "\((100 * result.accuracy).formatted(digits: 2)) %, top-\(result.k) "
          + "\((100 * result.topAccuracy).formatted(digits: 2)) %")
      let classes = ClassJudgement.all(
        logits: scores, labels: source.labels.elements, classCount: file.classCount)
      if byClass { table(classes, source.file.classNames).lines.forEach { Console.print($0) } }
      try json.write(
        Result(
          network: architecture.name, images: result.count, loss: result.loss, accuracy: result.accuracy, k: result.k,
          topAccuracy: result.topAccuracy,
          classes: classes.map { .init($0, name: Self.name(of: $0.label, source.file.classNames)) }))
      if let logits {
        let tensor = Tensor(shape: [source.count, file.classCount], elements: scores)
        try LogitsFile(logits: tensor, labels: source.labels).write(to: logits)
      }
      if let requireAccuracy, result.accuracy < requireAccuracy {
        NetworkSession.report("the accuracy is \(result.accuracy), below the required \(requireAccuracy)")
        try Outcome.fails.end()
      }
    }
  }

  /// What `--json` writes.
  private struct Result: Encodable {
    var network: String
    var images: Int
    var loss, accuracy: Double
    var k: Int
    var topAccuracy: Double
    var classes: [Class]

    struct Class: Encodable {
      var label: Int
      var name: String
      var images, right: Int
      var takenFor: Int?
      var taken: Int

      init(_ judgement: ClassJudgement, name: String) {
        (label, self.name) = (judgement.label, name)
        (images, right) = (judgement.images, judgement.right)
        (takenFor, taken) = (judgement.takenFor, judgement.taken)
      }
    }
  }

  /// The folder's name of a class, or its number.
  private static func name(of label: Int, _ names: [String]) -> String {
    names.indices.contains(label) ? names[label] : "\(label)"
  }

  private func table(_ classes: [ClassJudgement], _ names: [String]) -> TextTable {
    TextTable(
      ["class", "most often taken for", "images", "right", "accuracy"],
      classes.map { judged in
        [
          Self.name(of: judged.label, names),
          judged.takenFor.map { "\(Self.name(of: $0, names)) (\(judged.taken))" } ?? "–", "\(judged.images)",
          "\(judged.right)", "\((100 * judged.accuracy).formatted(digits: 2)) %",
        ]
      }, words: 2)
  }

  /// The images to judge by.
  private func images(_ file: WeightsFile, _ architecture: ResNetArchitecture) throws -> PreparedImages {
    let side = try NetworkSession.pictureSide(imageSize, trained: file.imageSize, architecture, data: data)
    let images = try NetworkSession.images(data, pictureSide: side, isQuiet: quiet)
    try NetworkSession.requireClasses(images, data, classCount: file.classCount)
    let trained = file.checkpoint == nil ? nil : try SavedRun(file, from: weights)
    try NetworkSession.requireClassNames(trained?.classNames ?? [], of: images, data)
    try NetworkSession.requireScale(trained?.imageScale, of: images, data, exactly: false)
    if !images.hasSplit {
      Console.note("note: \(data.printable) has no split: all of its images are judged, also those trained on")
    }
    let normalization = try normalization.normalization(of: file.normalization)
    NetworkSession.note(normalization)
    let source = try PreparedImages(
      images, rows: images.heldOutRows, normalization: normalization, for: architecture)
    NetworkSession.noteEnlargement(source, architecture)
    return source
  }
}

extension Double {
  func formatted(digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
