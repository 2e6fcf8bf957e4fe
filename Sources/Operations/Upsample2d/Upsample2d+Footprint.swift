import Problems

extension Upsample2d {
  public var footprints: [String: Footprint] {
    // Every output between two input rows may use both; what is reached is left to the plane as a whole.
    [
      "x": .planes(
        input: problem.inputShape, output: problem.outputShape,
        rows: Self.whole(problem.inputShape[2], problem.outputSize.height),
        columns: Self.whole(problem.inputShape[3], problem.outputSize.width))
    ]
  }

  public var linearity: Linearity { Linearity(in: ["x"], exactOnIntegers: problem.mode == .nearest) }

  public var shiftInvariance: Applicable<ShiftInvariance> {
    .none(because: "a common shift of its input changes its output")
  }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }

  private static func whole(_ input: Int, _ output: Int) -> AxisReach {
    AxisReach(Array(repeating: Array(0..<output), count: input))
  }
}
