import Problems

extension LogSoftmax {
  public var footprints: [String: Footprint] {
    ["x": .alongAxisOne(input: problem.inputShape, outputExtent: problem.inputShape[1])]
  }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> { .some(.rows(of: problem.inputShape)) }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }
}
