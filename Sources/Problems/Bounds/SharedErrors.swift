/// Errors that elements have in common: one unknown number for each group, times each element's weight.
///
/// What sums over a group, as the gradient of a convolution in front of a batch norm does, adds them up, where independent errors of
/// the same size would cancel.
public struct SharedErrors: Sendable {
  /// One for each element: how far the group's number takes it, as a bound.
  public var weights: [Double]
  /// One for each element.
  public var groups: [Int]

  public init(weights: [Double], groups: [Int]) {
    self.weights = weights
    self.groups = groups
  }
}

/// Bounds that know which part of an element's error it shares.
public protocol ErrorSharing: BoundModel {
  /// - Parameters:
  ///   - path: the tensor.
  ///   - rounding: the arithmetic.
  ///   - isRigorous: of any values, or statistically of independent ones.
  /// - Returns: none where each element rounds by itself.
  func sharedErrors(of path: String, in rounding: Rounding, isRigorous: Bool) -> [SharedErrors]
}
