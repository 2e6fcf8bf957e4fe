import Problems

extension PassingOperation {
  /// Whatever a layer mixes, layers behind it mix further.
  public var footprints: [String: Footprint] { [:] }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> { .none(because: "its layers have theirs") }

  public var slices: Applicable<any SlicedOperation> { .none(because: "its layers have theirs") }
}
