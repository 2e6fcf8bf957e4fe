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

  /// Adds what is missing.
  public mutating func add(_ holes: [RunHole]?) {
    for hole in holes ?? [] { add(hole.outcome, because: hole.reason) }
  }

  /// `fails: 2 FAIL; interrupted before every case was done`.
  public var text: String {
    reasons.isEmpty ? outcome.words : "\(outcome.words): " + reasons.joined(separator: "; ")
  }
}
