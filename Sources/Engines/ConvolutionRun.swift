import Convolution
import Problems
import Tensors

/// One pass of one convolution by one strategy, with all its buffers: from and to NCHW, or in the strategy's own layout.
///
/// A result buffer is filled with ``UnwrittenMark`` before the pass writes it.
final class ConvolutionRun {
  /// An activation in both layouts; where a strategy's own is plain NCHW, once.
  private struct Activation {
    let dense: Tensor<Float>
    let conversion: LayoutConversion
    let blocked: AlignedBuffer

    init(_ dense: Tensor<Float>, _ layout: BlockedLayout, _ options: ConvolutionOptions) throws(ConvolutionError) {
      self.dense = dense
      conversion = try LayoutConversion(layout, options: options)
      blocked = try AlignedBuffer(zeros: layout.isDense ? 0 : layout.count, name: "activation")
    }

    private var isDense: Bool { conversion.layout.isDense }
    /// Bytes of the copy.
    var bytes: Int { isDense ? 0 : blocked.bytes }

    func read<Result>(
      _ body: (UnsafeBufferPointer<Float>) throws(ConvolutionError) -> Result
    ) throws(ConvolutionError) -> Result {
      if !isDense { return try body(UnsafeBufferPointer(blocked.buffer)) }
      return try dense.elements.withUnsafeBufferPointer { (elements) throws(ConvolutionError) in try body(elements) }
    }

    /// - Parameter result: the NCHW tensor that is written where there is no copy.
    func write(
      _ result: inout Tensor<Float>, _ body: (UnsafeMutableBufferPointer<Float>) throws(ConvolutionError) -> Void
    ) throws(ConvolutionError) {
      if !isDense { return try body(blocked.buffer) }
      try result.elements.withUnsafeMutableBufferPointer { (elements) throws(ConvolutionError) in try body(elements) }
    }

    func pack() throws(ConvolutionError) {
      if isDense { return }
      try dense.elements.withUnsafeBufferPointer { (elements) throws(ConvolutionError) in
        try conversion.pack(elements, into: blocked.buffer)
      }
    }

    func unpack(into dense: inout Tensor<Float>) throws(ConvolutionError) {
      if isDense { return }
      try dense.elements.withUnsafeMutableBufferPointer { (elements) throws(ConvolutionError) in
        try conversion.unpack(UnsafeBufferPointer(blocked.buffer), into: elements)
      }
    }
  }

  private enum Work {
    case activation(any PreparedConvolution, input: Activation, output: Activation)
    case weights(any PreparedWeightGradient, x: Activation, outputGradient: Activation)
  }

  private let work: Work
  /// The result in NCHW; for a weight gradient K×(C/groups)×R×S.
  private var result: Tensor<Float>
  let summary: String
  /// The strategy's own scratch memory.
  let workspaceBytes: Int
  /// The blocked copies that running from and to NCHW needs besides.
  let conversionBytes: Int

  /// Packs the weights and the operands.
  /// - Throws: ``EngineError/unsupported(_:)`` where the strategy does not do the pass.
  init(
    _ strategy: any ConvolutionStrategy, _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ given: Given<Float>
  ) throws(EngineError) {
    if let reason = strategy.unsupportedReason(problem, pass) { throw .unsupported("\(strategy.name): \(reason)") }
    let (x, weight): (Tensor<Float>, Tensor<Float>)
    do throws(ProblemError) {
      (x, weight) = (try given.operand("x"), try given.operand("weight"))
    } catch { throw EngineError(error) }
    do throws(ConvolutionError) {
      let options = try ConvolutionOptions(threads: given.threads)
      let outputGradient = given.upstream["y"] ?? Self.stand(in: problem.outputShape)
      let name: String
      if pass == .backwardWeights {
        let prepared = try strategy.prepareWeightGradient(problem, options: options)
        let input = try Activation(x, prepared.inputLayout, options)
        let dy = try Activation(outputGradient, prepared.outputGradientLayout, options)
        work = .weights(prepared, x: input, outputGradient: dy)
        result = Self.unwritten(problem.weightShape)
        name = prepared.strategyName
        workspaceBytes = prepared.workspaceBytes
        conversionBytes = input.bytes + dy.bytes
      } else {
        let epilogue = ConvolutionEpilogue(shift: pass == .forward ? given.operands["bias"]?.elements : nil)
        let prepared = try weight.elements.withUnsafeBufferPointer { (weights) throws(ConvolutionError) in
          try strategy.prepare(problem, pass, weights: weights, epilogue: epilogue, options: options)
        }
        let activation = pass == .forward ? x : outputGradient
        let marked = Self.unwritten(pass == .forward ? problem.outputShape : problem.inputShape)
        let input = try Activation(activation, prepared.inputLayout, options)
        let output = try Activation(marked, prepared.outputLayout, options)
        // The output's halo is nobody's to write; its interior is marked.
        try output.pack()
        work = .activation(prepared, input: input, output: output)
        result = marked
        name = prepared.strategyName
        workspaceBytes = prepared.workspaceBytes
        conversionBytes = input.bytes + output.bytes
      }
      let chosen = name == strategy.name ? name : "\(strategy.name) (\(name))"
      summary = "\(chosen), \(options.instructionSet.rawValue), \(pass.rawValue)"
      try packOperands()
    } catch { throw Self.translated(error) }
  }

  private static func unwritten(_ shape: Shape) -> Tensor<Float> {
    Tensor(shape: shape, repeating: UnwrittenMark.float32)
  }

  /// A cotangent for timing a pass whose exercise has none.
  private static func stand(in shape: Shape) -> Tensor<Float> {
    Tensor(splitMix64Uniform: shape, seed: 7, low: -1, high: 1)
  }

  private static func translated(_ error: ConvolutionError) -> EngineError {
    if case .unsupported = error { return .unsupported("\(error)") }
    return .failed("\(error)")
  }

  private func packOperands() throws(ConvolutionError) {
    switch work {
    case .activation(_, let input, _): try input.pack()
    case .weights(_, let x, let outputGradient):
      try x.pack()
      try outputGradient.pack()
    }
  }

  /// The pass once. From NCHW it converts its operands first and its result afterwards.
  func once(from layout: TimingRequest.Layout) throws(EngineError) {
    do throws(ConvolutionError) {
      if layout == .nchw { try packOperands() }
      switch work {
      case .activation(let prepared, let input, let output):
        try input.read { (input) throws(ConvolutionError) in
          try output.write(&result) { (output) throws(ConvolutionError) in
            try prepared.run(input: input, output: output, residual: nil)
          }
        }
        if layout == .nchw { try output.unpack(into: &result) }
      case .weights(let prepared, let x, let outputGradient):
        try x.read { (x) throws(ConvolutionError) in
          try outputGradient.read { (dy) throws(ConvolutionError) in
            try result.elements.withUnsafeMutableBufferPointer { (gradient) throws(ConvolutionError) in
              try prepared.run(input: x, outputGradient: dy, weightGradient: gradient)
            }
          }
        }
      }
    } catch { throw Self.translated(error) }
  }

  /// Runs the pass and gives its result.
  func denseResult() throws(EngineError) -> Tensor<Float> {
    try once(from: .nchw)
    return result
  }
}
