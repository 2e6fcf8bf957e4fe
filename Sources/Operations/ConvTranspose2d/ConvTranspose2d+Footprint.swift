import Problems

extension ConvTranspose2d {
  /// Which rows of y each row of x reaches.
  var rows: AxisReach { reach(\.height) }
  var columns: AxisReach { reach(\.width) }

  private func reach(_ axis: KeyPath<Pair, Int>) -> AxisReach {
    let (stride, dilation) = (problem.stride[keyPath: axis], problem.dilation[keyPath: axis])
    let (padding, output) = (problem.padding[keyPath: axis], problem.outputSize[keyPath: axis])
    return AxisReach(
      (0..<problem.inputSize[keyPath: axis]).map { position in
        (0..<problem.kernelSize[keyPath: axis]).map { position * stride + $0 * dilation - padding }
          .filter { $0 >= 0 && $0 < output }
      })
  }

  public var footprints: [String: Footprint] {
    [
      "x": .image(
        input: problem.inputShape, output: problem.outputShape, rows: rows, columns: columns,
        mixing: problem.inputChannels / problem.groups, outputsPerGroup: problem.outputChannels / problem.groups),
      "weight": weightFootprint,
      "bias": .channel(elementsPerChannel: 1, output: problem.outputShape),
    ]
  }

  /// That of a convolution's weight, whose first axis is the output's channel, with the axes of the channels exchanged.
  private var weightFootprint: Footprint {
    let channels = problem.inputChannels / problem.groups
    let kernels = problem.outputChannels / problem.groups
    let taps = problem.kernelSize.height * problem.kernelSize.width
    let byOutput = Footprint.channel(elementsPerChannel: channels * taps, output: problem.outputShape)
    let place: @Sendable (Int) -> Int = { element in
      let (filter, tap) = element.quotientAndRemainder(dividingBy: taps)
      let (c, k) = filter.quotientAndRemainder(dividingBy: kernels)
      return ((c / channels * kernels + k) * channels + c % channels) * taps + tap
    }
    return Footprint(
      colourCount: byOutput.colourCount, colour: { byOutput.colour(place($0)) },
      forEachOutput: { element, body in byOutput.forEachOutput(place(element), body) })
  }

  public var linearity: Linearity { Linearity(in: ["x", "weight", "bias"], exactOnIntegers: true) }

  public var shiftInvariance: Applicable<ShiftInvariance> {
    .none(because: "a common shift of its input changes its output")
  }

  public var slices: Applicable<any SlicedOperation> {
    .none(because: "no network here has one, and a pass of a single layer costs little")
  }
}
