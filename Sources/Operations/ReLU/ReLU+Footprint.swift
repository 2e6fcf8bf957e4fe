import Problems

extension ReLU {
  public var footprints: [String: Footprint] { ["x": .pointwise] }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> {
    .none(because: "a common shift of its input changes its output")
  }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }
}
