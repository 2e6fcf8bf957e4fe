/// The checked operands of a forward or backward-data run.
///
/// `@unchecked Sendable`: pointers only; every task of a run writes a part of the output that is its own.
struct ConvolutionOperands: @unchecked Sendable {
  let input: UnsafePointer<Float>
  let output: UnsafeMutablePointer<Float>
  let residual: UnsafePointer<Float>?

  /// Whether sums begin with what the output holds, the residual that they replace.
  let continuesOutput: Bool

  /// Whether the output is written over the residual, which has then to be read before any part of a sum is kept there.
  var replacesResidual: Bool { residual == UnsafePointer(output) }

  /// The same for a strategy that keeps sums part by part in the output: those that replace their residual begin with it, unless
  /// they are scaled.
  func begun(_ epilogue: ConvolutionEpilogue) -> ConvolutionOperands {
    replacesResidual && epilogue.scale == nil
      ? ConvolutionOperands(input: input, output: output, continuesOutput: true) : self
  }

  /// Without a residual; whoever calls answers for what is read and written.
  init(input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, continuesOutput: Bool = false) {
    (self.input, self.output, residual, self.continuesOutput) = (input, output, nil, continuesOutput)
  }

  /// Nil when there is nothing to compute: no images.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  init?(
    _ source: BlockedLayout, _ destination: BlockedLayout, _ epilogue: ConvolutionEpilogue,
    _ input: UnsafeBufferPointer<Float>, _ output: UnsafeMutableBufferPointer<Float>,
    _ residual: UnsafeBufferPointer<Float>?
  ) throws(ConvolutionError) {
    guard input.count == source.count else {
      throw .bufferMismatch(name: "input", expected: source.count, found: input.count)
    }
    guard output.count == destination.count else {
      throw .bufferMismatch(name: "output", expected: destination.count, found: output.count)
    }
    let expected = epilogue.addsResidual ? destination.count : 0
    guard (residual?.count ?? 0) == expected else {
      throw .bufferMismatch(name: "residual", expected: expected, found: residual?.count ?? 0)
    }
    guard let target = output.baseAddress, output.count > 0 else { return nil }
    self.output = target
    // Without pixels the input may have no address, and none of it is read.
    self.input = input.baseAddress ?? UnsafePointer(target)
    self.residual = epilogue.addsResidual ? residual?.baseAddress : nil
    continuesOutput = false
  }
}
