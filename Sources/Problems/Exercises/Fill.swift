/// What kind of data a case holds, and so which comparison applies to it.
public enum Fill: String, Sendable, Hashable, Codable, CaseIterable {
  /// Integer multiples of one power of two whose sums are exact: results are compared by value.
  case exact
  /// Independent random values: a statistical bound and the rigorous one.
  case random
  /// Anything else: the rigorous bound alone.
  case adversarial
}
