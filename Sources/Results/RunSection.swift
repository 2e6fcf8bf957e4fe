/// A part of a run: records, and the one rule by which they become an outcome.
public protocol RunSection: Codable, Sendable {
  /// What the records amount to, computed from them alone.
  var conclusion: Conclusion { get }
}

/// The kinds of work that a run may have done; raw values are the sections' names in `run.json`.
public enum RunPart: String, Codable, Sendable, CaseIterable, Hashable {
  case verification
  case fuzzing
  case gradients
  case selfTest = "self_test"
  case training
  case benchmark
  case duet
  case history

  public var title: String {
    switch self {
    case .verification: "Verification"
    case .fuzzing: "Fuzzing"
    case .gradients: "Gradients"
    case .selfTest: "Self-test"
    case .training: "Training"
    case .benchmark: "Benchmark"
    case .duet: "Regression gate"
    case .history: "History"
    }
  }
}

/// Something that should be in a run and is not, or that no record of it can tell: a shard that is missing, a part that was
/// interrupted or that ended otherwise than its records say.
public struct RunHole: Codable, Sendable, Hashable {
  /// `shard 2 of 3 is missing`.
  public var reason: String
  /// What the run amounts to at best while this is so.
  public var outcome: Outcome
  /// The command that fills it, where one is known.
  public var command: String?

  public init(_ reason: String, outcome: Outcome = .inconclusive, command: String? = nil) {
    self.reason = reason
    self.outcome = outcome
    self.command = command
  }
}
