import Problems

extension Conv2d {
  public var footprints: [String: Footprint] {
    let (input, output) = (problem.inputSize, problem.outputSize)
    let rows = AxisReach(
      input: input.height, output: output.height, kernel: problem.kernelSize.height, stride: problem.stride.height,
      dilation: problem.dilation.height, paddingBefore: problem.paddingBefore.height)
    let columns = AxisReach(
      input: input.width, output: output.width, kernel: problem.kernelSize.width, stride: problem.stride.width,
      dilation: problem.dilation.width, paddingBefore: problem.paddingBefore.width)
    return [
      "x": .image(
        input: problem.inputShape, output: problem.outputShape, rows: rows, columns: columns,
        mixing: problem.inputChannels / problem.groups, outputsPerGroup: problem.outputChannels / problem.groups),
      "weight": .channel(
        elementsPerChannel: problem.weightShape.dimensions.dropFirst().reduce(1, *), output: problem.outputShape),
      "bias": .channel(elementsPerChannel: 1, output: problem.outputShape),
    ]
  }

  public var linearity: Linearity { Linearity(in: ["x", "weight", "bias"], exactOnIntegers: true) }

  public var shiftInvariance: Applicable<ShiftInvariance> {
    .none(because: "a common shift of its input changes its output")
  }

  public var slices: Applicable<any SlicedOperation> {
    guard problem.groups == 1 else { return .none(because: "the channels of one group are few") }
    guard problem.inputChannels > 1 else { return .none(because: "its one input channel is the whole of it") }
    return .some(ConvolutionSlices(problem))
  }
}
