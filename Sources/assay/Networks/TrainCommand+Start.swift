import ArgumentParser
import NetworkFiles
import Problems
import Operations
import Tensors

// How a run begins: its settings, its images and the values that it starts from.

extension TrainCommand {
  /// The run's settings, the checkpoint's or those of the command line, and its images.
  func savedRun(_ file: WeightsFile?) throws -> (SavedRun, ImagesFile) {
    var run: SavedRun
    let images: ImagesFile
    func read(_ architecture: ResNetArchitecture, trained: Int?) throws -> ImagesFile {
      let side = try NetworkSession.pictureSide(settings.imageSize, trained: trained, architecture, data: data)
      return try NetworkSession.images(data, pictureSide: side, isQuiet: quiet)
    }
    if let resume, let file {
      run = try SavedRun(file, from: resume)
      images = try read(run.options.architecture, trained: run.imageSize)
      try NetworkSession.requireClassNames(run.classNames, of: images, data)
      try settings.requireAgreement(with: run)
      if let schedule = try settings.schedule(epochs: epochs) { run.options.schedule = schedule }
      try NetworkSession.requireScale(run.imageScale, of: images, data, exactly: true)
    } else {
      let architecture = try settings.architecture()
      images = try read(architecture, trained: nil)
      let options = try settings.options(labelCount: images.classCount, architecture, epochs: epochs)
      run = SavedRun(
        options: options, freeze: settings.freeze, imageScale: nil,
        engine: (settings.engine ?? .execution).rawValue)
      run.normalization = try normalization(images, architecture, file)
    }
    if !images.classNames.isEmpty {
      (run.classNames, run.imageSize) = (images.classNames, images.pixels.shape[2])
    }
    NetworkSession.note(run.normalization)
    run.imageScale = images.scale
    if let length = run.options.schedule.length, length < epochs {
      throw ValidationError(
        "--epochs \(epochs): the schedule cosine:\(length) ends after \(length) epochs, and the learning rate is 0 from "
          + "there on. Give --schedule cosine:\(epochs) (another curve, from the next epoch on), constant, or "
          + "step:EPOCHS:FACTOR.")
    }
    return (run, images)
  }

  /// What was asked for, measured, or else what the weights to start from were trained with.
  private func normalization(
    _ images: ImagesFile, _ architecture: ResNetArchitecture, _ initial: WeightsFile?
  ) throws -> ImageNormalization? {
    if let given = try settings.normalization.normalization() { return given }
    guard settings.measure else { return initial?.normalization }
    let source = try PreparedImages(images, rows: images.trainingRows, normalization: nil, for: architecture)
    return try ImageNormalization(measuring: source.count) { (rows) throws(ProblemError) in
      try source.batch(Array(rows)).images
    }
  }

  func start(_ images: ImagesFile, _ run: SavedRun, _ file: WeightsFile?) throws -> Training<Float> {
    let options = run.options
    try NetworkSession.requireClasses(images, data, classCount: options.classCount)
    let source = try PreparedImages(
      images, rows: images.trainingRows, normalization: run.normalization, for: options.architecture)
    let plan = try plan(options, source)
    var training: Training<Float>
    if let resume, let file {
      training = try Training(resuming: file, from: resume, as: run, plan)
    } else {
      var state = Initialization(seed: options.seed, zeroInitResidual: settings.zeroInitResidual)
        .state(of: plan, as: Float.self)
      if let initial, let file {
        let mismatch = try file.load(into: &state, of: plan, from: initial)
        if !mismatch.isEmpty { Console.note("note: \(mismatch)".printable) }
      }
      training = Training(options: options, state: state)
    }
    training.step.threads = threads
    for glob in run.freeze {
      let names = plan.parameters.map(\.name).filter { NamePattern(glob).matches($0) }
      guard !names.isEmpty else {
        let known = plan.parameters.prefix(3).map(\.name).joined(separator: ", ")
        throw ValidationError(
          "--freeze '\(glob)' matches none of the \(plan.parameters.count) parameters (\(known), …; "
            + "'assay model \(options.architecture.name)' lists the layers)")
      }
      training.step.frozen.formUnion(names)
    }
    return training
  }

  /// The plan of a mini-batch, after that of every size in an epoch was tried.
  private func plan(_ options: TrainingOptions, _ source: PreparedImages) throws -> NetworkPlan {
    func plans(batch: Int) throws(ProblemError) -> [Int: NetworkPlan] {
      var options = options
      options.batchSize = batch
      return try options.plans(imageShape: source.imageShape, count: source.count)
    }
    do throws(ProblemError) {
      let plans = try plans(batch: options.batchSize)
      if let plan = plans[min(options.batchSize, source.count)] { return plan }
      throw ProblemError(.shapeMismatch, "images", expected: "at least one", found: "none")
    } catch {
      // Only a batch that is too small for a batch norm can be helped by another batch size.
      let better = (2...max(2, source.count)).filter { $0 != options.batchSize && (try? plans(batch: $0)) != nil }
      guard let nearest = better.min(by: { abs($0 - options.batchSize) < abs($1 - options.batchSize) }) else {
        throw error
      }
      let last = source.count % options.batchSize
      throw ValidationError(
        "--batch \(options.batchSize): \(source.count) images make a "
          + (last > 0 ? "last batch of \(last)" : "batch of \(options.batchSize)")
          + ", on which the network cannot be trained (\(error)). Try --batch \(nearest).")
    }
  }
}
