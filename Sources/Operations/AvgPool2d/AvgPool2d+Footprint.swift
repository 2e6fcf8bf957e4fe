import Problems

extension AvgPool2d {
  public var footprints: [String: Footprint] { ["x": .windows(problem.window)] }

  public var linearity: Linearity { Linearity(in: ["x"], exactOnIntegers: hasDyadicDivisor) }

  public var shiftInvariance: Applicable<ShiftInvariance> {
    .none(because: "a common shift of its input changes its output")
  }

  public var slices: Applicable<any SlicedOperation> { .none(because: "a pass costs little more than a part of one") }

  /// Whether every window is divided by one power of two, which rounds nothing.
  private var hasDyadicDivisor: Bool {
    let window = problem.window
    let size = window.kernelSize.height * window.kernelSize.width
    let isWhole = !window.ceilMode && (problem.countIncludePad || window.padding == 0)
    let divisor = problem.divisorOverride ?? (isWhole ? size : 0)
    return divisor > 0 && divisor & (divisor - 1) == 0
  }
}
