/// How far a time is to be trusted: who held the clock and the memory.
public enum Trust: String, Codable, Sendable, Hashable, CaseIterable {
  /// This program: built-in engines, and shared libraries in a child that is this program again.
  case host
  /// The engine, under audit: what was timed was collected and verified.
  case audited
  /// The engine alone: it speaks a protocol under which nothing of this can be checked.
  case claimed
}
