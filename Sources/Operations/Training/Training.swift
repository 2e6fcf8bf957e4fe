import Problems
import Tensors

/// What decides a training run, besides the data and the initial values.
public struct TrainingOptions: Hashable, Sendable {
  public var architecture: ResNetArchitecture
  public var classCount: Int
  public var batchSize: Int
  public var optimizer: OptimizerOptions
  public var schedule: LearningRateSchedule
  /// Epochs in which the learning rate rises to what the schedule says.
  public var warmupEpochs: Int
  /// Decides the order of the images in every epoch.
  public var seed: UInt64

  public init(
    architecture: ResNetArchitecture, classCount: Int, batchSize: Int, optimizer: OptimizerOptions,
    schedule: LearningRateSchedule = .constant, warmupEpochs: Int = 0, seed: UInt64 = 0
  ) {
    self.architecture = architecture
    self.classCount = classCount
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.schedule = schedule
    self.warmupEpochs = warmupEpochs
    self.seed = seed
  }
}

extension TrainingOptions {
  /// The learning rate of an epoch, counted from 0: the optimiser's, times the schedule's factor and, in epoch e of a warm-up
  /// of n epochs, times (e + 1)/(n + 1). It depends on nothing else, so that a resumed run goes on as one run would.
  public func learningRate(epoch: Int) -> Double {
    let rate = optimizer.learningRate * schedule.factor(epoch: epoch)
    return epoch < warmupEpochs ? rate * Double(epoch + 1) / Double(warmupEpochs + 1) : rate
  }

  /// The plans of an epoch by their number of images: of the full mini-batches, and of the last where it is smaller.
  ///
  /// - Parameters:
  ///   - imageShape: (C, H, W).
  ///   - count: images in an epoch.
  /// - Throws: `ProblemError` when the network cannot be trained on such a batch: a batch norm needs more than one value
  ///   of each channel, which a last batch of one image may not have.
  public func plans(imageShape: Shape, count: Int) throws(ProblemError) -> [Int: NetworkPlan] {
    var plans: [Int: NetworkPlan] = [:]
    for size in [min(batchSize, count), count % batchSize] where size > 0 && plans[size] == nil {
      plans[size] = try architecture.plan(
        inputShape: Shape([size] + imageShape.dimensions), classCount: classCount, training: true)
    }
    return plans
  }
}

public enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  case problem(ProblemError)
  /// A mini-batch whose loss, or whose step, gave NaN or an infinity. Epochs and batches count from 1, as people see them.
  case diverged(epoch: Int, batch: Int, finding: String)
  /// The caller asked for it, in the middle of an epoch.
  case stopped(epoch: Int, batch: Int)

  public var description: String {
    switch self {
    case .problem(let error): error.description
    case .diverged(let epoch, let batch, let finding):
      "diverged at epoch \(epoch), batch \(batch): \(finding); a smaller learning rate may help"
    case .stopped(let epoch, let batch): "stopped in batch \(batch) of epoch \(epoch)"
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
  /// - Parameters:
  ///   - data: images and labels.
  ///   - engine: what computes the steps, where that is not the reference.
  ///   - progress: called after each batch.
  ///   - shouldStop: asked before each layer of each batch, or before each batch of an engine's.
  /// - Returns: the mean loss over the epoch's images.
  /// - Throws: ``TrainingError``; the values are then those before the failing batch, or of an engine's before the epoch.
  @discardableResult
  public mutating func runEpoch(
    _ data: some ImageSource<Scalar>, on engine: (any StepEngine<Scalar>)? = nil,
    progress: (Progress) -> Void = { _ in },
    shouldStop: @escaping () -> Bool = { false }
  ) throws(TrainingError) -> Double {
    let rows = order(of: data.count)
    let rate = options.learningRate(epoch: epochsDone)
    let batchCount = (rows.count + options.batchSize - 1) / options.batchSize
    let plans: [Int: NetworkPlan]
    do { plans = try options.plans(imageShape: data.imageShape, count: data.count) } catch { throw .problem(error) }
    let stop = StopRequest(shouldStop)
    do { try engine?.begin(step) } catch { throw .problem(error) }
    var sum = 0.0
    for batch in 0..<batchCount {
      let part = Array(rows[batch * options.batchSize..<min((batch + 1) * options.batchSize, rows.count)])
      guard let plan = plans[part.count] else { continue }
      var next = step
      let loss: Double
      do throws(ProblemError) {
        if let engine {
          try stop.check()
          loss = try engine.run(plan, data.batch(part), learningRate: rate)
        } else {
          loss = try next.run(plan, data.batch(part), learningRate: rate, beforeLayer: stop.check).loss.doubleValue
        }
      } catch {
        throw stop.wasMade ? .stopped(epoch: epochsDone + 1, batch: batch + 1) : .problem(error)
      }
      if let finding = loss.isFinite ? next.state.defect?.description : "the loss is \(loss.spelled)" {
        throw .diverged(epoch: epochsDone + 1, batch: batch + 1, finding: finding)
      }
      step = next
      sum += loss * Double(part.count)
      progress(
        Progress(
          batch: batch + 1, batchCount: batchCount, loss: loss,
          runningLoss: sum / Double(min((batch + 1) * options.batchSize, rows.count))))
    }
    if let engine {
      let end: TrainingStep<Scalar>
      do { end = try engine.end(step) } catch { throw .problem(error) }
      if let defect = end.state.defect {
        throw .diverged(epoch: epochsDone + 1, batch: batchCount, finding: defect.description)
      }
      step = end
    }
    epochsDone += 1
    return rows.isEmpty ? .nan : sum / Double(rows.count)
  }

  /// The rows in this epoch's order, which follows from seed and epoch alone: resuming needs no generator's state.
  private func order(of count: Int) -> [Int] {
    var random = SplitMix64(seed: SplitMix64.mix(options.seed &+ UInt64(epochsDone)))
    return Array(0..<count).shuffled(using: &random)
  }
}
