import Problems

extension CrossEntropy {
  public var footprints: [String: Footprint] {
    // What is reduced to one number is reached by all.
    guard problem.reduction == .none else { return [:] }
    return ["x": .alongAxisOne(input: problem.inputShape, outputExtent: 1)]
  }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> { .some(.rows(of: problem.inputShape)) }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }
}
