import Tensors

extension Footprint {
  /// Of an operation on images that keeps channels apart.
  public static func planes(input: Shape, output: Shape, rows: AxisReach, columns: AxisReach) -> Footprint {
    .image(input: input, output: output, rows: rows, columns: columns, mixing: 1, outputsPerGroup: 1)
  }

  /// Of a pooling: every window's position is reached by the elements that it holds.
  public static func windows(_ window: PoolingWindow) -> Footprint {
    let (input, output) = (window.inputShape, window.outputSize)
    return planes(
      input: input, output: window.outputShape,
      rows: AxisReach(
        input: input[2], output: output.height, kernel: window.kernelSize.height, stride: window.stride.height,
        dilation: window.dilation.height, paddingBefore: window.padding.height),
      columns: AxisReach(
        input: input[3], output: output.width, kernel: window.kernelSize.width, stride: window.stride.width,
        dilation: window.dilation.width, paddingBefore: window.padding.width))
  }
}
