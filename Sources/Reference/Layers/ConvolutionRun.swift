import Problems

/// Consecutive outputs of a plane and the inputs that one kernel tap multiplies for them. Inputs in the padding are in no
/// run: they are never read, so a zero of the padding never meets an infinite weight.
struct ConvolutionRun {
  /// Position of the first output in its P·Q plane.
  var output: Int
  /// Position of the first input in its H·W plane; the following ones are `stride` apart.
  var input: Int
  var count: Int

  /// The runs of every tap (r, s) at r·S + s, the same for all images and channels.
  static func taps(of problem: Conv2dProblem) -> [[ConvolutionRun]] {
    let (stride, dilation, padding) = (problem.stride, problem.dilation, problem.paddingBefore)
    let (input, output) = (problem.inputSize, problem.outputSize)
    return (0..<problem.kernelSize.height * problem.kernelSize.width).map { tap in
      let top = tap / problem.kernelSize.width * dilation.height - padding.height
      let left = tap % problem.kernelSize.width * dilation.width - padding.width
      let rows = reached(outputs: output.height, inputs: input.height, stride: stride.height, offset: top)
      let columns = reached(outputs: output.width, inputs: input.width, stride: stride.width, offset: left)
      guard !rows.isEmpty, !columns.isEmpty else { return [] }
      let runs = rows.map { p in
        ConvolutionRun(
          output: p * output.width + columns.lowerBound,
          input: (p * stride.height + top) * input.width + columns.lowerBound * stride.width + left,
          count: columns.count)
      }
      // Where rows follow each other without a gap on both sides (1×1 without padding), the plane is one run.
      let whole = stride == 1 && columns.count == output.width && output.width == input.width
      return whole
        ? [ConvolutionRun(output: runs[0].output, input: runs[0].input, count: runs.count * columns.count)] : runs
    }
  }

  /// The outputs p with 0 ≤ p·stride + offset < inputs.
  private static func reached(outputs: Int, inputs: Int, stride: Int, offset: Int) -> Range<Int> {
    let first = offset >= 0 ? 0 : (-offset + stride - 1) / stride
    let last = inputs - 1 - offset < 0 ? -1 : (inputs - 1 - offset) / stride
    let end = min(outputs, last + 1)
    return first < end ? first..<end : 0..<0
  }
}
