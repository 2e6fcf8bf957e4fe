import Problems

extension Add {
  public var footprints: [String: Footprint] { ["x": .pointwise, "other": .pointwise] }

  public var linearity: Linearity { Linearity(in: ["x", "other"], exactOnIntegers: true) }

  public var shiftInvariance: Applicable<ShiftInvariance> {
    .none(because: "a common shift of a summand changes the sum")
  }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }
}
