/// What a training run did: the section `training` of a run.
public struct TrainingSection: Codable, Sendable {
  public var architecture: String
  /// Planes of the first stage.
  public var width: Int
  public var classCount: Int
  public var parameterCount: Int
  /// What computed it.
  public var engine: String
  public var threads: Int
  /// As the checkpoint has them: batch size, optimiser, schedule …
  public var settings: [String: String]
  /// Where the images came from.
  public var data: String
  /// C, H, W, as the network takes them.
  public var imageShape: [Int]
  public var trainingImages: Int
  public var judgedImages: Int
  /// Whether the images that the network is judged by are others than those that it was trained on.
  public var isHeldOut: Bool
  /// How many epochs there were to be in all.
  public var epochsAsked: Int
  /// After how many epochs without a lower loss it was to stop. Absent where it was not.
  public var patience: Int?
  /// Its epochs, those before it was resumed among them.
  public var history: TrainingHistory
  /// The least accuracy that was asked for. Absent where none was.
  public var requiredAccuracy: Double?
  /// Why it ended before its time, if numbers that are not finite ended it.
  public var diverged: String?
  /// Stopped by a signal in the middle of an epoch.
  public var interrupted = false

  public init(
    architecture: String, width: Int, classCount: Int, parameterCount: Int, engine: String, threads: Int,
    settings: [String: String], data: String, imageShape: [Int], trainingImages: Int, judgedImages: Int,
    isHeldOut: Bool, epochsAsked: Int, patience: Int? = nil, history: TrainingHistory = TrainingHistory(),
    requiredAccuracy: Double? = nil
  ) {
    self.architecture = architecture
    self.width = width
    self.classCount = classCount
    self.parameterCount = parameterCount
    self.engine = engine
    self.threads = threads
    self.settings = settings
    self.data = data
    self.imageShape = imageShape
    self.trainingImages = trainingImages
    self.judgedImages = judgedImages
    self.isHeldOut = isHeldOut
    self.epochsAsked = epochsAsked
    self.patience = patience
    self.history = history
    self.requiredAccuracy = requiredAccuracy
  }

  /// What the judged images are to the network.
  public var judged: String { Self.judged(isHeldOut: isHeldOut) }

  public static func judged(isHeldOut: Bool) -> String { isHeldOut ? "held-out" : "training-set" }

  /// `8 epochs, the best of them 7: held-out loss 0.08, accuracy 98.2 %`.
  public var summary: String {
    guard let best = history.best, let last = history.epochs.last else { return "no epoch" }
    return "\(last.epoch) epochs, the best of them \(best.epoch): \(judged) loss \(rounded(best.judgedLoss, 4)), "
      + "accuracy \(rounded(100 * best.accuracy, 2)) %"
  }

  private func rounded(_ value: Double, _ digits: Int) -> Double {
    let unit = (0..<digits).reduce(1.0) { power, _ in power * 10 }
    return (value * unit).rounded() / unit
  }
}
