/// How far each element of one tensor may lie from its exact value, in one precision.
public struct ElementBounds: Sendable {
  /// Holds for independent random operands, in any order of summation, with the margin ``lambda``; `nil` where nothing
  /// averages out and the rigorous bound alone applies.
  public var statistical: [Double]?
  /// Holds always.
  public var rigorous: [Double]

  public init(statistical: [Double]? = nil, rigorous: [Double]) {
    self.statistical = statistical
    self.rigorous = rigorous
  }

  /// λ: how many standard deviations of the rounding error the statistical bound allows. The calibration
  /// (`assay verify --calibrate`) measures how much of it is used.
  public static let lambda = 8.0

  /// Both at once for tensors whose result is one of their inputs: no error at all.
  public static func none(count: Int) -> ElementBounds { ElementBounds(rigorous: Array(repeating: 0, count: count)) }

  /// The statistical bound limited by the rigorous one. A NaN in either stays: it says that there is nothing to compare by
  /// distance.
  public var tightest: [Double] {
    guard let statistical else { return rigorous }
    return zip(statistical, rigorous).map { statistical, rigorous in
      statistical.isNaN || rigorous.isNaN ? .nan : min(statistical, rigorous)
    }
  }
}
