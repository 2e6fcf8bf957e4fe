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
