import Problems

extension AdaptiveAvgPool2d {
  public var footprints: [String: Footprint] {
    [
      "x": .planes(
        input: problem.inputShape, output: problem.outputShape,
        rows: Self.parts(problem.inputShape[2], problem.outputSize.height),
        columns: Self.parts(problem.inputShape[3], problem.outputSize.width))
    ]
  }

  public var linearity: Linearity { .none }

  public var shiftInvariance: Applicable<ShiftInvariance> {
    .none(because: "a common shift of its input changes its output")
  }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }

  /// Output i covers ⌊i·in/out⌋ up to ⌈(i+1)·in/out⌉.
  private static func parts(_ input: Int, _ output: Int) -> AxisReach {
    AxisReach(
      input: input, windows: (0..<output).map { $0 * input / output..<(($0 + 1) * input + output - 1) / output })
  }
}
