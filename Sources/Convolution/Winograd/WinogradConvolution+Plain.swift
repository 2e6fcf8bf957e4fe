import KernelContracts
import Problems

extension WinogradConvolution {
  /// Computes one tile of one vector of outputs by its definition, for a tile whose transforms overflowed or met an infinity or
  /// NaN. Slow, and for hostile data only.
  ///
  /// Sums are in double precision: what float32 holds is then found whatever the order of the terms.
  /// - Parameter tile: counted from the run's first.
  func computePlain(_ operands: ConvolutionOperands, _ run: WinogradPlan.Run, tile: Int, vector: Int) {
    let destination = plan.destination
    let firstRow = run.row * plan.outputTile
    let firstColumn = (run.column + tile) * plan.outputTile
    let firstChannel = vector * plan.vectorWidth
    let plane = destination.offset(image: run.image, channel: firstChannel)
    for row in firstRow..<min(firstRow + plan.outputTile, destination.height) {
      for column in firstColumn..<min(firstColumn + plan.outputTile, destination.width) {
        let pixel = plane + row * destination.rowStride + column * destination.block
        for lane in 0..<min(plan.vectorWidth, destination.channels - firstChannel) {
          let channel = firstChannel + lane
          var value = Float(sum(operands.input, image: run.image, channel: channel, row: row, column: column))
          if let scale = epilogue.scale { value *= scale[channel] }
          if let shift = epilogue.shift { value += shift[channel] }
          if let residual = operands.residual { value += residual[pixel + lane] }
          operands.output[pixel + lane] = epilogue.relu && value < 0 ? 0 : value
        }
      }
    }
  }

  /// One element's sum over the source's channels and the taps.
  private func sum(_ input: UnsafePointer<Float>, image: Int, channel: Int, row: Int, column: Int) -> Double {
    let source = plan.source
    let isForward = plan.pass == .forward
    // w is K × C × 3 × 3; backward-data reads it from K to C, with the taps turned.
    let channels = plan.problem.inputChannels
    let (channelStep, sourceStep) = isForward ? (channels * 9, 9) : (9, channels * 9)
    var sum = 0.0
    for from in 0..<source.channels {
      let plane = input + source.offset(image: image, channel: from) + from % source.block
      let taps = weights.given + channel * channelStep + from * sourceStep
      for tap in 0..<9 {
        let (h, w) = (row + tap / 3 - plan.before.height, column + tap % 3 - plan.before.width)
        if h >= 0, h < source.height, w >= 0, w < source.width {
          sum += Double(taps[isForward ? tap : 8 - tap]) * Double(plane[h * source.rowStride + w * source.block])
        } else if isForward {
          // Padding is zeros that take part: 0·∞ is NaN. Beyond dy's border there is nothing at all.
          sum += Double(taps[tap]) * 0
        }
      }
    }
    return sum
  }
}
