/// The checked operands of a backward-weights run.
struct WeightGradientOperands: @unchecked Sendable {
  let input: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  let weightGradient: UnsafeMutablePointer<Float>

  /// Nil when nothing is left to compute: without images the gradient is zero, and is written here.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  init?(
    _ plan: WeightGradientPlan, _ input: UnsafeBufferPointer<Float>, _ outputGradient: UnsafeBufferPointer<Float>,
    _ weightGradient: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    let gather = plan.gather
    guard input.count == gather.source.count else {
      throw .bufferMismatch(name: "input", expected: gather.source.count, found: input.count)
    }
    guard outputGradient.count == gather.destination.count else {
      throw .bufferMismatch(
        name: "output gradient", expected: gather.destination.count, found: outputGradient.count)
    }
    let weightCount = gather.problem.weightShape.count
    guard weightGradient.count == weightCount, let target = weightGradient.baseAddress else {
      throw .bufferMismatch(name: "weight gradient", expected: weightCount, found: weightGradient.count)
    }
    guard let x = input.baseAddress, let dy = outputGradient.baseAddress, input.count > 0, outputGradient.count > 0
    else {
      target.update(repeating: 0, count: weightCount)
      return nil
    }
    self.input = x
    self.outputGradient = dy
    self.weightGradient = target
  }
}

extension WeightGradientPlan {
  /// Computes the gradient again, reading no halo: 0·∞ from padding would be NaN where the padded convolution has no such
  /// term. Slow, and for hostile data only: needed if an element is infinite or NaN.
  func computePlain(_ operands: WeightGradientOperands, _ pool: ThreadPool) {
    pool.run(tasks: gather.problem.outputChannels) { k, _ in
      for channel in 0..<gather.sourceChannels {
        for tap in phase.geometry.taps { plainElement(operands, k: k, channel: channel, tap) }
      }
    }
  }

  private func plainElement(
    _ operands: WeightGradientOperands, k: Int, channel: Int, _ tap: GatherGeometry.Tap
  ) {
    let (group, within) = k.quotientAndRemainder(dividingBy: gather.destinationChannels)
    let source = gather.source
    let (vector, lane) = within.quotientAndRemainder(dividingBy: gather.destination.block)
    let (block, inBlock) = channel.quotientAndRemainder(dividingBy: source.block)
    let x =
      operands.input + gather.sourceOffset(group: group) + source.origin + block * source.planeStride + inBlock
    let dy = operands.outputGradient + gather.destinationOffset(group: group, vector: vector) + lane
    var sum: Float = 0
    for row in 0..<gather.source.batch * phase.geometry.rows {
      let (image, p) = row.quotientAndRemainder(dividingBy: phase.geometry.rows)
      let i = p * gather.sourceStep.height + tap.row
      guard i >= 0, i < source.height else { continue }
      for q in 0..<phase.geometry.columns {
        let j = q * gather.sourceStep.width + tap.column
        guard j >= 0, j < source.width else { continue }
        sum +=
          x[image * source.imageStride + i * source.rowStride + j * source.block]
          * dy[phase.destinationRows[row] + q * gather.destination.block]
      }
    }
    let problem = gather.problem
    let index = (k * gather.sourceChannels + channel) * problem.kernelSize.height + tap.r
    operands.weightGradient[index * problem.kernelSize.width + tap.s] = sum
  }
}
