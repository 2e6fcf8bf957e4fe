import NetworkFiles
import Operations
import Results

/// The record of a training run: kept after each epoch, and made into reports when the run ends, however it does.
struct TrainingReport: Sendable {
  private let folder: String
  private var run: Run

  /// - Parameters:
  ///   - folder: where everything goes.
  ///   - seed: of the run.
  ///   - section: without epochs.
  init(folder: String, seed: UInt64, _ section: TrainingSection) {
    self.folder = folder
    run = Run(provenance: .current(seed: seed))
    run.training = section
  }

  /// Writes the record alone.
  /// - Throws: `AtomicFile.Failure` (exit 74).
  mutating func add(_ history: TrainingHistory) throws {
    run.training?.history = history
    try ReportOutput(folder: folder).save(run)
  }

  /// Writes every report.
  /// - Parameter error: what ended the run before its time.
  /// - Throws: `ExitCode` 74 when one cannot be written.
  func end(_ error: (any Error)? = nil) throws {
    var run = run
    switch error {
    case let error as TrainingError:
      if case .stopped = error { run.training?.interrupted = true } else { run.training?.diverged = "\(error)" }
    case let error?: run.training?.diverged = "\(error)"
    case nil: break
    }
    try ReportOutput.write(run, to: folder)
  }
}

extension TrainingSection {
  /// - Parameters:
  ///   - training: as it starts or goes on.
  ///   - run: its settings.
  ///   - source: the images to train on.
  ///   - judged: the images to judge by.
  ///   - data: where they came from.
  ///   - epochs: how many there are to be in all.
  ///   - patience: of the command.
  ///   - requiredAccuracy: of the command.
  init(
    _ training: Training<Float>, _ run: SavedRun, on source: PreparedImages, judgedBy judged: PreparedImages,
    data: String, epochs: Int, patience: Int?, requiredAccuracy: Double?
  ) {
    let options = run.options
    self.init(
      architecture: options.architecture.name, width: options.architecture.widths[0], classCount: options.classCount,
      parameterCount: training.step.state.parameters.values.reduce(0) { $0 + $1.count }, engine: run.engine,
      threads: training.step.threads, settings: run.settings, data: data,
      imageShape: source.imageShape.dimensions, trainingImages: source.count, judgedImages: judged.count,
      isHeldOut: source.file.hasSplit, epochsAsked: epochs, patience: patience, requiredAccuracy: requiredAccuracy)
  }
}
