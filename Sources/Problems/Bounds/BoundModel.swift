import Tensors

/// The rounding errors that a correct implementation of one operation may make, from the case's own data.
///
/// One value serves every precision: what costs time (the sums over magnitudes and squares) is done once.
public protocol BoundModel: Sendable {
  /// Whether every order of evaluation gives the same value under the golden format's `exact` fill.
  func isExact(_ path: String) -> Bool
  /// Bounds of the tensor `outputs/y`, `gradients/weight`, …; `nil` for one that the operation does not have.
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds?
  /// How the errors of the tensor are spread where the statistical bound decides; `nil` where there is no such bound, or none whose
  /// use was calibrated.
  func spread(of path: String) -> ErrorSpread?
  /// The algorithms whose bounds widen this tensor's beyond those of its definition; `nil` where none does.
  func widening(of path: String) -> String?
}

extension BoundModel {
  public func widening(of path: String) -> String? { nil }
}
