import Convolution
import Engines
import Problems
import Tensors

/// One pass of one convolution by one strategy, on sets of operands: from and to NCHW, or in the strategy's own layout.
///
/// Weights are packed once. Each set has buffers of its own in the layout that a run starts from and ends in; what a run from
/// NCHW converts them to and from is shared by all sets, as the layers of a network would share it.
final class ConvolutionRun {
  /// An activation of one set.
  struct Activation {
    /// Of a dense layout, and of every one while a run is from and to NCHW; elsewhere empty.
    fileprivate(set) var dense: Tensor<Float>
    /// The set's own in a native layout, and otherwise every set's; `nil` where the strategy's layout is NCHW itself.
    fileprivate let blocked: AlignedBuffer?
    fileprivate let conversion: LayoutConversion

    func read<Result>(
      _ body: (UnsafeBufferPointer<Float>) throws(ConvolutionError) -> Result
    ) throws(ConvolutionError) -> Result {
      if let blocked { return try body(UnsafeBufferPointer(blocked.buffer)) }
      return try dense.elements.withUnsafeBufferPointer { (elements) throws(ConvolutionError) in try body(elements) }
    }

    fileprivate mutating func write(
      _ body: (UnsafeMutableBufferPointer<Float>) throws(ConvolutionError) -> Void
    ) throws(ConvolutionError) {
      if let blocked { return try body(blocked.buffer) }
      try dense.elements.withUnsafeMutableBufferPointer { (elements) throws(ConvolutionError) in try body(elements) }
    }

    fileprivate func pack() throws(ConvolutionError) { try pack(dense) }

    fileprivate func pack(_ values: Tensor<Float>) throws(ConvolutionError) {
      guard let blocked else { return }
      try values.elements.withUnsafeBufferPointer { (elements) throws(ConvolutionError) in
        try conversion.pack(elements, into: blocked.buffer)
      }
    }

    /// The numbers of the blocked copy in NCHW.
    fileprivate mutating func unpack() throws(ConvolutionError) {
      guard let blocked else { return }
      let conversion = conversion
      try dense.elements.withUnsafeMutableBufferPointer { (elements) throws(ConvolutionError) in
        try conversion.unpack(UnsafeBufferPointer(blocked.buffer), into: elements)
      }
    }

    /// Puts one value everywhere.
    /// - Parameters:
    ///   - value: the value.
    ///   - values: the same in NCHW.
    fileprivate mutating func fill(with value: Float, _ values: Tensor<Float>) throws(ConvolutionError) {
      dense.elements.withUnsafeMutableBufferPointer { $0.update(repeating: value) }
      guard let blocked else { return }
      // A halo is nobody's to write.
      if conversion.layout.halo == BlockedLayout.Halo() {
        blocked.buffer.update(repeating: value)
      } else {
        try pack(values)
      }
    }

    /// Puts other numbers where the old ones are.
    fileprivate mutating func replace(with values: Tensor<Float>) throws(ConvolutionError) {
      if dense.count == 0 { return try pack(values) }
      dense.elements.withUnsafeMutableBufferPointer { target in
        values.elements.withUnsafeBufferPointer { _ = target.update(fromContentsOf: $0) }
      }
    }
  }

  /// The buffers of one set.
  final class Buffers {
    /// x, or dy backward to the data; x and dy backward to the weights.
    fileprivate(set) var inputs: [Activation]
    /// y, dx or dw.
    fileprivate(set) var output: Activation

    fileprivate init(inputs: [Activation], output: Activation) {
      self.inputs = inputs
      self.output = output
    }
  }

  private enum Work {
    case activation(any PreparedConvolution)
    case weights(any PreparedWeightGradient)
  }

  /// An activation's place in every set.
  private struct Place {
    let shape: Shape
    let conversion: LayoutConversion
    /// The buffer that all sets share.
    let shared: AlignedBuffer?

    init(
      _ shape: Shape, _ layout: BlockedLayout, _ options: ConvolutionOptions, isShared: Bool
    ) throws(ConvolutionError) {
      self.shape = shape
      conversion = try LayoutConversion(layout, options: options)
      shared = isShared && !layout.isDense ? try AlignedBuffer(zeros: layout.count, name: "activation") : nil
    }

    func activation() throws(ConvolutionError) -> Activation {
      let isDense = conversion.layout.isDense
      let own = isDense || shared != nil ? nil : try AlignedBuffer(zeros: conversion.layout.count, name: "activation")
      return Activation(
        dense: own == nil ? Tensor(shape: shape, repeating: 0) : Tensor(shape: [0], repeating: 0),
        blocked: shared ?? own, conversion: conversion)
    }
  }

  let pass: ConvolutionPass
  let summary: String
  /// The strategy's own scratch memory.
  let workspaceBytes: Int
  private let layout: TimingRequest.Layout
  private let work: Work
  private let inputs: [Place]
  private let output: Place
  /// Filled with ``UnwrittenMark``, in NCHW.
  private let marked: Tensor<Float>
  private(set) var sets: [Int: Buffers] = [:]

  /// Packs the weights.
  /// - Throws: ``EngineError/unsupported(_:)`` where the strategy does not do the pass.
  init(
    _ strategy: any ConvolutionStrategy, _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ given: Given<Float>,
    layout: TimingRequest.Layout
  ) throws(EngineError) {
    if let reason = strategy.unsupportedReason(problem, pass) { throw .unsupported("\(strategy.name): \(reason)") }
    self.pass = pass
    self.layout = layout
    let isShared = layout == .nchw
    let weight: Tensor<Float>
    do throws(ProblemError) { weight = try given.operand("weight") } catch { throw EngineError(error) }
    do throws(ConvolutionError) {
      let options = try ConvolutionOptions(threads: given.threads)
      let name: String
      if pass == .backwardWeights {
        let prepared = try strategy.prepareWeightGradient(problem, options: options)
        inputs = [
          try Place(problem.inputShape, prepared.inputLayout, options, isShared: isShared),
          try Place(problem.outputShape, prepared.outputGradientLayout, options, isShared: isShared),
        ]
        output = try Place(
          problem.weightShape, BlockedLayout(dense: problem.weightShape), options, isShared: isShared)
        work = .weights(prepared)
        name = prepared.strategyName
        workspaceBytes = prepared.workspaceBytes
      } else {
        let epilogue = ConvolutionEpilogue(shift: pass == .forward ? given.operands["bias"]?.elements : nil)
        let blocked = try weight.elements.withUnsafeBufferPointer { (weights) throws(ConvolutionError) in
          try strategy.prepare(problem, pass, weights: weights, epilogue: epilogue, options: options)
        }
        let prepared = try isShared ? blocked.dense() ?? blocked : blocked
        let shapes = (problem.inputShape, problem.outputShape)
        let (from, to) = pass == .forward ? shapes : (shapes.1, shapes.0)
        inputs = [try Place(from, prepared.inputLayout, options, isShared: isShared)]
        output = try Place(to, prepared.outputLayout, options, isShared: isShared)
        work = .activation(prepared)
        name = prepared.strategyName
        workspaceBytes = prepared.workspaceBytes
      }
      marked = Tensor(shape: output.shape, repeating: UnwrittenMark.float32)
      let chosen = name == strategy.name ? name : "\(strategy.name) (\(name))"
      summary = "\(chosen), \(options.instructionSet.rawValue), \(pass.rawValue)"
    } catch { throw Self.translated(error) }
  }

  /// The blocked copies that running from and to NCHW needs besides.
  var conversionBytes: Int { (inputs + [output]).reduce(0) { $0 + ($1.shared?.bytes ?? 0) } }

  private static func translated(_ error: ConvolutionError) -> EngineError {
    if case .unsupported = error { return .unsupported("\(error)") }
    return .failed("\(error)")
  }

  /// Puts operands into a set, which is made where it is new, and marks its output.
  func load(_ operands: LateOperands, set: Int) throws(EngineError) {
    let names = pass == .forward ? ["x"] : pass == .backwardData ? ["y"] : ["x", "y"]
    var values: [Tensor<Float>] = []
    for (name, place) in zip(names, inputs) {
      let tensor = name == "y" ? operands.upstream["y"] : operands.inputs[name]
      guard case .float32(let value)? = tensor, value.shape == place.shape else {
        let found = tensor.map { "\($0.dtype.rawValue) of shape \($0.shape)" } ?? "none"
        throw .failed("set \(set), \(name): expected float32 of shape \(place.shape), found \(found)")
      }
      values.append(value)
    }
    do throws(ConvolutionError) {
      let buffers: Buffers
      if let known = sets[set] {
        buffers = known
      } else {
        var made: [Activation] = []
        for place in inputs { made.append(try place.activation()) }
        buffers = Buffers(inputs: made, output: try output.activation())
        sets[set] = buffers
      }
      for (index, value) in values.enumerated() { try buffers.inputs[index].replace(with: value) }
      try mark(buffers)
    } catch { throw Self.translated(error) }
  }

  /// Fills a set's output with the mark.
  func mark(set: Int) throws(EngineError) {
    guard let buffers = sets[set] else { return }
    do throws(ConvolutionError) { try mark(buffers) } catch { throw Self.translated(error) }
  }

  private func mark(_ buffers: Buffers) throws(ConvolutionError) {
    try buffers.output.fill(with: UnwrittenMark.float32, marked)
  }

  /// The pass once. From NCHW it converts its operands first and its result afterwards.
  func once(on buffers: Buffers) throws(EngineError) {
    do throws(ConvolutionError) {
      if layout == .nchw { for input in buffers.inputs { try input.pack() } }
      switch work {
      case .activation(let prepared):
        try buffers.inputs[0].read { (input) throws(ConvolutionError) in
          try buffers.output.write { (output) throws(ConvolutionError) in
            try prepared.run(input: input, output: output, residual: nil)
          }
        }
      case .weights(let prepared):
        try buffers.inputs[0].read { (x) throws(ConvolutionError) in
          try buffers.inputs[1].read { (dy) throws(ConvolutionError) in
            try buffers.output.write { (gradient) throws(ConvolutionError) in
              try prepared.run(input: x, outputGradient: dy, weightGradient: gradient)
            }
          }
        }
      }
      if layout == .nchw { try buffers.output.unpack() }
    } catch { throw Self.translated(error) }
  }

  /// What a set's output holds, in NCHW; for a weight gradient K×(C/groups)×R×S. A copy, which later runs leave as it is.
  func result(set: Int) throws(EngineError) -> Tensor<Float> {
    guard let buffers = sets[set] else { throw .failed("set \(set) was never loaded") }
    var copy = buffers.output
    if copy.dense.count == 0, copy.blocked != nil {
      copy.dense = marked
      do throws(ConvolutionError) { try copy.unpack() } catch { throw Self.translated(error) }
      return copy.dense
    }
    return Tensor(shape: output.shape, elements: copy.dense.elements.withUnsafeBufferPointer { Array($0) })
  }

  /// Runs the pass on these operands and gives its result.
  func result(of operands: LateOperands) throws(EngineError) -> Tensor<Float> {
    try load(operands, set: 0)
    guard let buffers = sets[0] else { return marked }
    try once(on: buffers)
    // Read once and then gone: no copy is needed.
    return buffers.output.dense
  }
}
