import Problems

extension BatchNorm2d {
  public var footprints: [String: Footprint] {
    [
      "x": problem.usesBatchStatistics ? layout.inputFootprint : .pointwise,
      "weight": .channel(elementsPerChannel: 1, output: problem.inputShape),
      "bias": .channel(elementsPerChannel: 1, output: problem.inputShape),
    ]
  }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> {
    guard problem.usesBatchStatistics else { return .none(because: "running statistics do not follow its input") }
    return layout.shiftInvariance(unit: "channel")
  }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }
}
