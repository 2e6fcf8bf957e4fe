import Operations

extension LearningRateSchedule {
  /// How long a schedule may be.
  public static let epochs = 1...1_000_000

  /// `constant`, `cosine:EPOCHS` or `step:EPOCHS:FACTOR`; `nil` for anything else.
  /// - Parameters:
  ///   - text: the schedule.
  ///   - epochs: the length of a `cosine` that does not say its own.
  public init?(_ text: String, epochs: Int? = nil) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    switch (parts.first, parts.count) {
    case ("constant", 1): self = .constant
    case ("cosine", 1):
      guard let epochs else { return nil }
      self = .cosine(epochs: epochs)
    case ("cosine", 2):
      guard let length = Int(parts[1]), Self.epochs.contains(length) else { return nil }
      self = .cosine(epochs: length)
    case ("step", 3):
      guard let every = Int(parts[1]), Self.epochs.contains(every), let factor = Double(parts[2]),
        factor > 0, factor.isFinite
      else { return nil }
      self = .step(epochs: every, factor: factor)
    default: return nil
    }
  }

  /// What ``init(_:epochs:)`` reads back.
  public var text: String {
    switch self {
    case .constant: "constant"
    case .cosine(let epochs): "cosine:\(epochs)"
    case .step(let epochs, let factor): "step:\(epochs):\(factor)"
    }
  }
}
