import Problems

extension PoolingWindow {
  /// Rows of the input under the window of output row `p`, from `start` in steps of the dilation to before `end`.
  func rows(of p: Int) -> (start: Int, end: Int) {
    Self.inside(p * stride.height - padding.height, kernelSize.height, dilation.height, inputShape[2])
  }

  func columns(of q: Int) -> (start: Int, end: Int) {
    Self.inside(q * stride.width - padding.width, kernelSize.width, dilation.width, inputShape[3])
  }

  private static func inside(_ first: Int, _ kernel: Int, _ dilation: Int, _ extent: Int) -> (start: Int, end: Int) {
    let skipped = first < 0 ? (-first + dilation - 1) / dilation : 0
    return (first + skipped * dilation, min(first + (kernel - 1) * dilation + 1, extent))
  }
}
