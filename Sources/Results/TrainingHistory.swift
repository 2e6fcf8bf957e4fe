/// What one epoch of a training run came to.
public struct TrainingEpoch: Codable, Sendable, Hashable {
  /// From 1.
  public var epoch: Int
  /// Mean over the epoch's images, each as the network was before its mini-batch.
  public var loss: Double
  /// Of the images that the network is judged by, after the epoch.
  public var judgedLoss: Double
  /// Share of them whose class has the largest logit.
  public var accuracy: Double
  public var learningRate: Double
  /// Of the epoch with its judging; absent of epochs before the run was resumed.
  public var seconds: Double?
  /// Trained on, without the judging; absent likewise.
  public var imagesPerSecond: Double?

  public init(
    epoch: Int, loss: Double, judgedLoss: Double, accuracy: Double, learningRate: Double, seconds: Double? = nil,
    imagesPerSecond: Double? = nil
  ) {
    self.epoch = epoch
    self.loss = loss
    self.judgedLoss = judgedLoss
    self.accuracy = accuracy
    self.learningRate = learningRate
    self.seconds = seconds
    self.imagesPerSecond = imagesPerSecond
  }

  /// Without what differs from one machine to the next: what a checkpoint holds.
  public var untimed: TrainingEpoch {
    TrainingEpoch(
      epoch: epoch, loss: loss, judgedLoss: judgedLoss, accuracy: accuracy, learningRate: learningRate)
  }
}

/// The epochs of a training run so far, those before it was resumed among them.
public struct TrainingHistory: Codable, Sendable, Hashable {
  public var epochs: [TrainingEpoch]

  public init(_ epochs: [TrainingEpoch] = []) { self.epochs = epochs }

  /// The first of the epochs with the lowest loss on the images that the network is judged by.
  public var best: TrainingEpoch? { epochs.min { $0.judgedLoss < $1.judgedLoss } }

  /// Whether the last epoch is the best so far.
  public var lastIsBest: Bool { epochs.last != nil && best == epochs.last }

  /// Epochs in a row that did not better that loss.
  public var epochsSinceBest: Int { (epochs.last?.epoch ?? 0) - (best?.epoch ?? 0) }

  /// How long so many more epochs take, by those that were timed.
  public func secondsLeft(epochs count: Int) -> Double? {
    let timed = epochs.compactMap(\.seconds)
    return timed.isEmpty ? nil : timed.reduce(0, +) / Double(timed.count) * Double(count)
  }
}
