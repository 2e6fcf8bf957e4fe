/// The checked operands of a forward or backward-data run.
///
/// `@unchecked Sendable`: pointers only; every task of a run writes a part of the output that is its own.
struct ConvolutionOperands: @unchecked Sendable {
  let input: UnsafePointer<Float>
  let output: UnsafeMutablePointer<Float>
  let residual: UnsafePointer<Float>?

  /// Whether the output is written over the residual.
  var replacesResidual: Bool { residual == UnsafePointer(output) }

  /// Whether a sum begins with what the output holds, the residual that it replaces: it may then be kept there part by part, as
  /// others are. Scaled sums cannot.
  func continuesOutput(_ epilogue: ConvolutionEpilogue) -> Bool { replacesResidual && epilogue.scale == nil }

  /// Whether the residual has to be read before any part of a sum is kept in its place.
  func needsWholeSums(_ epilogue: ConvolutionEpilogue) -> Bool { replacesResidual && !continuesOutput(epilogue) }

  /// The same for sums that have their residual already.
  var withoutResidual: ConvolutionOperands { ConvolutionOperands(input: input, output: output) }

  /// Without a residual; whoever calls answers for what is read and written.
  init(input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>) {
    (self.input, self.output, residual) = (input, output, nil)
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
  }
}
