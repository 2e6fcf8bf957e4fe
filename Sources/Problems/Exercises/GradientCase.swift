/// One problem to take derivatives of, and what kind of values to take them at.
public struct GradientCase: Sendable, Hashable {
  public enum Fill: String, Sendable, Hashable, CaseIterable {
    /// Independent values in [−2, 2], all different: no kink is met exactly.
    case random
    /// Many exact zeros and equal values: every window has a tie, every ReLU a zero.
    case ties
    /// Mean 1000, deviation 1.
    case shifted
    /// Logits up to ±30: softmax saturates.
    case saturated
    /// Deviation 1/100: eps weighs.
    case narrow
    /// Denormal in single precision: what underflows is rounded otherwise than the rest.
    case denormal
  }

  public var text: String
  public var fill: Fill

  public init(_ text: String, _ fill: Fill = .random) {
    self.text = text
    self.fill = fill
  }

  public var operation: String { String(text.prefix { $0 != " " }) }

  public var name: String { fill == .random ? text : "\(text) (\(fill.rawValue))" }
}
