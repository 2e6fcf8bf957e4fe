import Problems

extension AdamStep {
  public var footprints: [String: Footprint] { [:] }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> { .none(because: "nothing is differentiated through a step") }

  public var slices: Applicable<any SlicedOperation> { .none(because: "nothing is differentiated through a step") }
}
