import Problems

extension BatchNorm2d {
  public var footprints: [String: Footprint] {
    [
      "x": problem.usesBatchStatistics ? .acrossBatch(problem.inputShape) : .pointwise,
      "weight": .channel(elementsPerChannel: 1, output: problem.inputShape),
      "bias": .channel(elementsPerChannel: 1, output: problem.inputShape),
    ]
  }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> {
    guard problem.usesBatchStatistics else { return .none(because: "running statistics do not follow its input") }
    let plane = problem.inputShape[2] * problem.inputShape[3]
    let channels = problem.channels
    return .some(
      ShiftInvariance(operand: "x", unit: "channel", setCount: channels) { $0 / plane % channels })
  }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }
}
