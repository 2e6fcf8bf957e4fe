import Problems

extension GroupNorm {
  public var footprints: [String: Footprint] {
    [
      "x": layout.inputFootprint,
      "weight": .channel(elementsPerChannel: 1, output: problem.inputShape),
      "bias": .channel(elementsPerChannel: 1, output: problem.inputShape),
    ]
  }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> { layout.shiftInvariance(unit: "group") }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }
}
