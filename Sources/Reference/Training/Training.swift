import Problems
import Tensors

/// What decides a training run, besides the data and the initial values.
public struct TrainingOptions: Hashable, Sendable {
  public var architecture: ResNetArchitecture
  public var classCount: Int
  public var batchSize: Int
  public var optimizer: OptimizerOptions
  public var schedule: LearningRateSchedule
  /// Decides the order of the images in every epoch.
  public var seed: UInt64

  public init(
    architecture: ResNetArchitecture, classCount: Int, batchSize: Int, optimizer: OptimizerOptions,
    schedule: LearningRateSchedule = .constant, seed: UInt64 = 0
  ) {
    self.architecture = architecture
    self.classCount = classCount
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.schedule = schedule
    self.seed = seed
  }
}

public enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  case problem(ProblemError)
  /// The loss of a mini-batch is NaN or infinite. Epochs count from 1, as people see them.
  case lossNotFinite(epoch: Int, batch: Int, loss: Double)
  /// The caller asked for it, in the middle of an epoch.
  case stopped(epoch: Int, batch: Int)

  public var description: String {
    switch self {
    case .problem(let error): error.description
    case .lossNotFinite(let epoch, let batch, let loss):
      "the loss is \(loss) in batch \(batch) of epoch \(epoch); a smaller learning rate may help"
    case .stopped(let epoch, let batch): "stopped before batch \(batch) of epoch \(epoch)"
    }
  }
}

/// A training run between two epochs: everything that a checkpoint holds.
///
/// The same options, data and initial values give the same bits, in one go or resumed, on any number of threads.
public struct Training<Scalar: RealScalar>: Sendable {
  public let options: TrainingOptions
  public var step: TrainingStep<Scalar>
  /// Epochs finished so far.
  public private(set) var epochsDone: Int

  public init(options: TrainingOptions, state: NetworkState<Scalar>, epochsDone: Int = 0) {
    self.options = options
    step = TrainingStep(state: state, optimizer: Optimizer(options.optimizer))
    self.epochsDone = epochsDone
  }

  /// After one mini-batch.
  public struct Progress: Sendable {
    /// From 1.
    public let batch: Int
    public let batchCount: Int
    public let loss: Double
    /// Mean over the images of the epoch so far.
    public let runningLoss: Double
  }

  /// Trains one epoch over all images in a new order.
  ///
  /// - Parameter shouldStop: asked before each batch.
  /// - Returns: the mean loss over the epoch's images.
  /// - Throws: ``TrainingError``; the values are then those before the failing batch.
  @discardableResult
  public mutating func runEpoch(
    _ data: LabelledImages<Scalar>, progress: (Progress) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) throws(TrainingError) -> Double {
    let rows = order(of: data.count)
    let rate = options.optimizer.learningRate * options.schedule.factor(epoch: epochsDone)
    let batchCount = (rows.count + options.batchSize - 1) / options.batchSize
    var sum = 0.0
    var plans: [Int: NetworkPlan] = [:]
    for batch in 0..<batchCount {
      if shouldStop() { throw .stopped(epoch: epochsDone + 1, batch: batch + 1) }
      let part = rows[batch * options.batchSize..<min((batch + 1) * options.batchSize, rows.count)]
      let images = data.batch(Array(part))
      var next = step
      let loss: Double
      do throws(ProblemError) {
        let plan: NetworkPlan
        if let known = plans[part.count] { plan = known } else { plan = try self.plan(images.images.shape) }
        plans[part.count] = plan
        loss = try next.run(plan, images, learningRate: rate).loss.doubleValue
      } catch {
        throw .problem(error)
      }
      guard loss.isFinite else { throw .lossNotFinite(epoch: epochsDone + 1, batch: batch + 1, loss: loss) }
      step = next
      sum += loss * Double(part.count)
      progress(
        Progress(
          batch: batch + 1, batchCount: batchCount, loss: loss,
          runningLoss: sum / Double(min((batch + 1) * options.batchSize, rows.count))))
    }
    epochsDone += 1
    return rows.isEmpty ? .nan : sum / Double(rows.count)
  }

  private func plan(_ shape: Shape) throws(ProblemError) -> NetworkPlan {
    try options.architecture.plan(inputShape: shape, classCount: options.classCount, training: true)
  }

  /// The rows in this epoch's order, which follows from seed and epoch alone: resuming needs no generator's state.
  private func order(of count: Int) -> [Int] {
    var random = SplitMix64(seed: SplitMix64.mix(options.seed &+ UInt64(epochsDone)))
    return Array(0..<count).shuffled(using: &random)
  }
}
