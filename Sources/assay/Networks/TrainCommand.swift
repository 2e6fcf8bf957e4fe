import ArgumentParser
import Foundation
import GoldenFiles
import NetworkFiles
import OperatingSystem
import Problems
import Operations
import Results
import Synchronization
import Tensors

/// `assay train`: the training loop on a file of images.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a residual network.",
    discussion: """
      The data are an HDF5 file with images (N, C, H, W), labels (N) and, optionally, split (N: 0 training, 1 held out), or
      CIFAR-10's binary version (a folder with data_batch_1.bin … test_batch.bin, or one such file), or PNG and JPEG files in
      a folder for each class, with or without train and test above them. Without a split the network is judged by the
      images that it was trained on. Fixtures/FORMAT.md says how pixels become numbers.

      The same settings and seed give the same weights, in one go or resumed, on any number of threads. The schedule is
      one of the settings: a cosine over 10 epochs is another curve than one over 8, so that a run of 8 epochs that may
      go on to 10 is started with cosine:10. After each epoch the checkpoint is replaced as a whole, so that a run that
      dies, is interrupted or diverges leaves the last complete one. --best keeps the best besides, and --patience stops
      a run that learns nothing more; both count the epochs before a run was resumed, and so does --report, whose report.html
      shows loss, accuracy, learning rate and images/s by epoch.

      EXAMPLES:
        assay train --data Fixtures/data/digits.h5 --model simple_resnet --width 12 --epochs 8 --out digits.h5
        assay train --data Fixtures/data/digits.h5 --width 12 --schedule cosine:10 --epochs 8 --out digits.h5
        assay train --data Fixtures/data/digits.h5 --resume digits.h5 --epochs 10 --out digits.h5
        assay train --data images.h5 --model resnet18 --init resnet18.h5 --freeze 'layer1.*' --out mine-weights.h5
        assay train --data Fixtures/data/digits.h5 --width 12 --epochs 50 --warmup 2 --patience 5 --best best.safetensors
        assay train --data Fixtures/data/digits.h5 --width 12 --epochs 8 --report Reports/digits
        assay train --data cifar-10-batches-bin --model cifar_resnet20 --measure --epochs 30 --out cifar.h5
        assay train --data pictures --model resnet18 --image-size 64 --measure --out pictures.h5
        assay train --data images.h5 --model resnet18 --init model.safetensors --out mine.safetensors

      EXIT CODES: 0 done, 1 it diverged or the accuracy is too low, 2 interrupted, 64 usage, 65 bad data, 74 the
      checkpoint cannot be written.
      """)

  @OptionGroup var settings: TrainSettings

  @Option(help: "The images: a file or a folder.", completion: .file())
  var data: String

  @Option(
    help: "Where the checkpoint goes after each epoch: HDF5, or safetensors by the path's ending.",
    completion: .file(extensions: ["h5", "safetensors"]))
  var out: String?

  @Option(
    help: "Go on from this checkpoint, with its settings.", completion: .file(extensions: ["h5", "safetensors"]))
  var resume: String?

  @Option(
    name: .customLong("init"),
    help: "Start from these weights, HDF5 or safetensors; what does not fit (another classifier) starts anew.",
    completion: .file(extensions: ["h5", "safetensors"]))
  var initial: String?

  @Option(
    help: "Where the checkpoint of the epoch with the lowest held-out loss goes.",
    completion: .file(extensions: ["h5", "safetensors"]))
  var best: String?

  @Option(help: "Stop when so many epochs in a row do not better the held-out loss.")
  var patience: Int?

  @Option(help: "Write run.json, the curves of loss and accuracy, and reports to this folder.", completion: .directory)
  var report: String?

  @Option(help: "How many epochs there are in all.")
  var epochs = 6

  @Option(help: "Threads; the result is the same, bit for bit.")
  var threads = min(2, ProcessInfo.processInfo.activeProcessorCount)

  @Option(help: "Fail (exit code 1) when the accuracy ends below this, from 0 to 1.")
  var requireAccuracy: Double?

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  func validate() throws {
    try OptionRange.require(epochs, "--epochs", in: OptionRange.epochs)
    try OptionRange.require(threads, "--threads", in: OptionRange.threads)
    if resume != nil, initial != nil { throw ValidationError("--resume and --init exclude each other") }
    try OptionRange.require(patience, "--patience", in: OptionRange.epochs)
    if report == "" { throw ValidationError("--report takes the path of a folder") }
    if best == "" { throw ValidationError("--best takes the path of a file") }
    if let best, best == out { throw ValidationError("--best and --out name the same file, \(best)") }
    if out == "" { throw ValidationError("--out takes the path of a file") }
    try NetworkSession.requireShare(requireAccuracy)
  }

  func run() throws {
    try NetworkSession.run {
      if let out {
        try AtomicFile.check(out)
      } else if best == nil {
        Console.note("note: without --out or --best the weights are not kept")
      }
      if let best { try AtomicFile.check(best) }
      if let report { try ReportOutput(folder: report).check() }
      // What the run goes on from, or starts from.
      let file = try (resume ?? initial).map { (path) throws(GoldenFileError) in
        try NetworkSession.weights(path, withOptimizer: resume != nil)
      }
      let (saved, images) = try savedRun(file)
      let history = resume == nil ? TrainingHistory() : file?.checkpoint?.history ?? TrainingHistory()
      let accuracy = try train(try start(images, saved, file), saved, history, images)
      if let requireAccuracy, accuracy < requireAccuracy {
        NetworkSession.report("the \(images.judged) accuracy is \(accuracy), below the required \(requireAccuracy)")
        try Outcome.fails.end()
      }
    }
  }

  // MARK: The epochs

  /// - Returns: the accuracy in the end.
  private func train(
    _ start: Training<Float>, _ run: SavedRun, _ earlier: TrainingHistory, _ images: ImagesFile
  ) throws -> Double {
    var (training, history) = (start, earlier)
    let architecture = run.options.architecture
    let source = try PreparedImages(
      images, rows: images.trainingRows, normalization: run.normalization, for: architecture)
    let judged = try PreparedImages(
      images, rows: images.heldOutRows, normalization: run.normalization, for: architecture)
    let engine =
      run.engine == NetworkEngine.execution.rawValue ? try ExecutionTrainer(run.options, threads: threads) : nil
    NetworkSession.noteEnlargement(source, architecture)
    if !images.hasSplit { Console.note("note: \(data.printable) has no split: judged by the images trained on") }
    let table = EpochTable(lossTitle: "\(images.judged) loss", epochs: epochs)
    Console.print(table.headings)
    let lastBatch = (source.count - 1) / run.options.batchSize + 1
    var accuracy = 0.0
    if training.epochsDone >= epochs || isOutOfPatience(history) {
      accuracy = try NetworkSession.validate(
        training, judged, threads: threads, lastBatch: lastBatch, onExecution: engine != nil
      ).accuracy
      Console.print(
        "the checkpoint has \(training.epochsDone) epochs already; accuracy \((100 * accuracy).formatted(digits: 2)) %")
    }
    var record = report.map { folder in
      TrainingReport(
        folder: folder, seed: run.options.seed,
        TrainingSection(
          training, run, on: source, judgedBy: judged, data: data, epochs: epochs, patience: patience,
          requiredAccuracy: requireAccuracy))
    }
    try record?.add(history)
    let progress = ProgressDisplay(isQuiet: quiet)
    let first = training.epochsDone
    while training.epochsDone < epochs, !isOutOfPatience(history) {
      let clock = ContinuousClock.now
      let epoch = training.epochsDone
      let kept = epoch > first ? out : resume
      let batch = Mutex(1)
      let interrupted: @Sendable () throws -> Void = { [self, record] in
        let error = TrainingError.stopped(epoch: epoch + 1, batch: batch.withLock { $0 })
        noteKept(kept, epochs: epoch, error)
        try record?.end(error)
        try NetworkSession.run { throw error }
      }
      do {
        let (loss, trained, result) = try Interruption.concluding(with: interrupted) {
          let loss = try training.runEpoch(
            source, on: engine,
            progress: { state in
              batch.withLock { $0 = state.batch }
              progress.step(
                done: (epoch - first) * state.batchCount + state.batch, of: (epochs - first) * state.batchCount,
                subject: "batches: epoch \(epoch + 1)/\(epochs), loss \(state.runningLoss.formatted(digits: 4))")
            }, shouldStop: { Task.isCancelled })
          let trained = clock.duration(to: .now) / .seconds(1)
          return (
            loss, trained,
            try NetworkSession.validate(
              training, judged, threads: threads, lastBatch: lastBatch, onExecution: engine != nil)
          )
        }
        accuracy = result.accuracy
        progress.clear()
        history.epochs.append(
          TrainingEpoch(
            epoch: epoch + 1, loss: loss, judgedLoss: result.loss, accuracy: accuracy,
            learningRate: run.options.learningRate(epoch: epoch), seconds: clock.duration(to: .now) / .seconds(1),
            imagesPerSecond: Double(source.count) / trained))
        Console.print(table.line(history))
      } catch {
        progress.clear()
        noteKept(kept, epochs: epoch, error)
        try record?.end(error)
        throw error
      }
      let checkpoint = training.checkpoint(run, history: history)
      if let out { try checkpoint.write(to: out) }
      if let best, history.lastIsBest { try checkpoint.write(to: best) }
      try record?.add(history)
    }
    try record?.end()
    sayBest(history, after: first, images.judged)
    return accuracy
  }

  private func isOutOfPatience(_ history: TrainingHistory) -> Bool {
    patience.map { history.epochsSinceBest >= $0 } ?? false
  }

  /// Why it stopped early, if it did, and which epoch was the best, where that was asked for.
  /// - Parameter first: epochs that were done when this command began.
  private func sayBest(_ history: TrainingHistory, after first: Int, _ judged: String) {
    guard best != nil || patience != nil, let epoch = history.best else { return }
    if isOutOfPatience(history), let last = history.epochs.last?.epoch, last < epochs {
      Console.print("stopped after epoch \(last): \(history.epochsSinceBest) epochs without a lower \(judged) loss")
    }
    let place = best.map { path in
      epoch.epoch > first ? ", in \(path.printable)" : ", before this command: \(path.printable) is not written"
    }
    Console.print("best: \(EpochTable.best(epoch, judged: judged))\(place ?? "")")
  }

  /// What remains after an epoch that did not end: the checkpoint before it and, after an interruption, the command
  /// that goes on.
  private func noteKept(_ checkpoint: String?, epochs done: Int, _ error: any Error) {
    guard let checkpoint else { return }
    Console.note("\(checkpoint.printable) has the epochs before: \(done)")
    guard case TrainingError.stopped = error else { return }
    var words = ["assay", "train", "--data", data, "--resume", checkpoint, "--epochs", "\(epochs)"]
    words += ["--threads", "\(threads)"]
    if let out { words += ["--out", out] }
    if let best { words += ["--best", best] }
    if let patience { words += ["--patience", "\(patience)"] }
    if let report { words += ["--report", report] }
    if let requireAccuracy { words += ["--require-accuracy", "\(requireAccuracy)"] }
    Console.note("resume: \(ShellCommand(words))")
  }
}
