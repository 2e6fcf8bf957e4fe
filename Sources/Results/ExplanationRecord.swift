/// What the failures of a mutant look like to who does not know it.
public struct ExplanationRecord: Codable, Sendable, Hashable {
  public enum Verdict: String, Codable, Sendable, CaseIterable {
    /// The mutant is named, and nothing else.
    case named
    /// It is named beside others.
    case among
    /// Another mistake is named for sure, which gives the same on every failing case that was held against it.
    case same
    /// Another mistake is named as what it looks like.
    case unsure
    /// Another mistake is named for sure, which gives something else on a failing case that had not been looked into.
    case wrong
    /// Nothing is named.
    case none
  }

  public var verdict: Verdict
  /// What is named; empty where nothing is.
  public var text: String
  /// Failing cases that were looked into.
  public var looked: Int
  /// Others that what is named was held against.
  public var others: Int
  /// The first of these on which it gives something else.
  public var refutedBy: String?

  public init(verdict: Verdict, text: String, looked: Int, others: Int) {
    self.verdict = verdict
    self.text = text
    self.looked = looked
    self.others = others
  }
}
