import Problems

extension Linear {
  public var footprints: [String: Footprint] {
    [
      "x": .alongAxisOne(input: problem.inputShape, outputExtent: problem.outputFeatures),
      "weight": .channel(elementsPerChannel: problem.inputFeatures, output: problem.outputShape),
      "bias": .channel(elementsPerChannel: 1, output: problem.outputShape),
    ]
  }

  public var linearity: Linearity { Linearity(in: ["x", "weight", "bias"], exactOnIntegers: true) }

  public var shiftInvariance: Applicable<ShiftInvariance> {
    .none(because: "a common shift of its input changes its output")
  }

  public var slices: Applicable<any SlicedOperation> {
    .none(because: "its inputs are few, so that a pass costs little more than a part of one")
  }
}
