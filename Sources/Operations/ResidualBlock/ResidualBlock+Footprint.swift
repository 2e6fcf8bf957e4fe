import Problems

extension ResidualBlock {
  public var footprints: [String: Footprint] { [:] }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> { .none(because: "its operands are those of many layers") }

  public var slices: Applicable<any SlicedOperation> {
    .none(because: "its layers are checked one by one where it is large")
  }
}
