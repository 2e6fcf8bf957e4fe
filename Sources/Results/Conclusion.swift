/// What one part of a run amounts to, and why: a sentence for each reason.
public struct Conclusion: Codable, Sendable, Hashable {
  public private(set) var outcome: Outcome
  public private(set) var reasons: [String]

  public init(_ outcome: Outcome = .holds, reasons: [String] = []) {
    self.outcome = outcome
    self.reasons = reasons
  }

  /// Adds a reason; the worst outcome of all reasons decides.
  public mutating func add(_ found: Outcome, because reason: String) {
    outcome = Outcome.worse(outcome, found)
    reasons.append(reason)
  }
}
