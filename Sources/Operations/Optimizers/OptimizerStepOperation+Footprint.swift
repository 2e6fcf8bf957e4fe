import Problems

extension OptimizerStepOperation {
  public var footprints: [String: Footprint] { [:] }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> { .none(because: "nothing is differentiated through it") }

  public var slices: Applicable<any SlicedOperation> { .none(because: "nothing is differentiated through it") }
}
