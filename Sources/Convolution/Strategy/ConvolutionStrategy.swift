import Problems

/// What a convolution computes.
public enum ConvolutionPass: String, CaseIterable, Hashable, Sendable, Codable {
  /// y from x and w.
  case forward
  /// dx from dy and w.
  case backwardData = "backward_data"
  /// dw from x and dy.
  case backwardWeights = "backward_weight"
}

/// One way to compute a convolution. Everything above `Convolution` knows strategies by this protocol alone.
///
/// Work is done in two phases. Preparing packs or transforms the weights, plans, and sizes the workspace; running
/// allocates nothing. float32 throughout.
public protocol ConvolutionStrategy: Sendable {
  /// The name that users type: `direct`, `im2col`, …
  var name: String { get }

  /// Why this strategy cannot do the pass for the problem, or nil if it can.
  func unsupportedReason(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> String?

  /// The halo that the pass reads round its input: for whoever plans a network's activations before anything is prepared.
  func requiredHalo(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> BlockedLayout.Halo

  /// Prepares the forward or the backward-data pass.
  /// - Parameters:
  ///   - problem: one that ``unsupportedReason(_:_:)`` has nothing against.
  ///   - pass: `forward` or `backwardData`.
  ///   - weights: K×(C/groups)×R×S, the forward weights in both passes.
  ///   - epilogue: what is applied to each output while it is in registers.
  ///   - options: threads, instruction set and halos.
  /// - Throws: ``ConvolutionError``.
  func prepare(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, weights: UnsafeBufferPointer<Float>,
    epilogue: ConvolutionEpilogue, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedConvolution

  /// Prepares the backward-weights pass.
  /// - Throws: ``ConvolutionError``.
  func prepareWeightGradient(
    _ problem: Conv2dProblem, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedWeightGradient
}

extension ConvolutionStrategy {
  /// What a gather reads.
  public func requiredHalo(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> BlockedLayout.Halo {
    GatherGeometry(problem, pass).requiredHalo
  }
}

/// What is done to each output element while it is still in a register: `y = relu(scale[k]·sum + shift[k] + residual)`.
public struct ConvolutionEpilogue: Hashable, Sendable {
  /// One factor an output channel: a folded batch norm. Applied in float32 after the sum.
  public var scale: [Float]?
  /// One term an output channel: a bias, or a folded batch norm.
  public var shift: [Float]?
  /// Whether `run` is given a residual: a buffer of the output's layout that is added.
  public var addsResidual: Bool
  public var relu: Bool

  public init(scale: [Float]? = nil, shift: [Float]? = nil, addsResidual: Bool = false, relu: Bool = false) {
    self.scale = scale
    self.shift = shift
    self.addsResidual = addsResidual
    self.relu = relu
  }
}

/// How a convolution is to be run.
public struct ConvolutionOptions: Hashable, Sendable {
  public var threads: Int
  public var instructionSet: InstructionSet
  /// At least this halo round the input; the pass's own need is added.
  public var inputHalo: BlockedLayout.Halo
  /// The halo round the output, for what reads it next.
  public var outputHalo: BlockedLayout.Halo
  /// Whether the weights stay where they are, and as they are until they are set again, for as long as what is prepared of them
  /// is run, and are others nearly every time: a strategy that needs them as they were given keeps no copy, and one that
  /// transforms many of them may do so anew in each run, where they are used.
  public var weightsStay: Bool

  public init(
    threads: Int = 1, instructionSet: InstructionSet, inputHalo: BlockedLayout.Halo = .init(),
    outputHalo: BlockedLayout.Halo = .init(), weightsStay: Bool = false
  ) {
    self.weightsStay = weightsStay
    self.threads = threads
    self.instructionSet = instructionSet
    self.inputHalo = inputHalo
    self.outputHalo = outputHalo
  }

  /// The instruction set of `ASSAY_ISA`, or the widest there is.
  /// - Throws: ``ConvolutionError/instructionSetUnavailable(asked:available:)``.
  public init(threads: Int = 1) throws(ConvolutionError) { try self.init(threads: threads, choosing: nil) }

  /// An instruction set, or the one of `ASSAY_ISA`, or the widest there is.
  /// - Throws: ``ConvolutionError/instructionSetUnavailable(asked:available:)``.
  public init(threads: Int, choosing instructionSet: InstructionSet?) throws(ConvolutionError) {
    if let instructionSet {
      self.init(threads: threads, instructionSet: instructionSet)
    } else {
      self.init(threads: threads, instructionSet: try InstructionSet.selected())
    }
  }
}

/// A forward or backward-data pass that is ready to run, again and again, one run at a time.
///
/// "Input" and "output" are the pass's: x and y forward, dy and dx backward.
public protocol PreparedConvolution: AnyObject, Sendable {
  var problem: Conv2dProblem { get }
  var pass: ConvolutionPass { get }
  /// The strategy that does the work; for `auto`, the one it chose.
  var strategyName: String { get }
  var inputLayout: BlockedLayout { get }
  var outputLayout: BlockedLayout { get }
  var epilogue: ConvolutionEpilogue { get }
  /// Bytes of packed or transformed weights.
  var weightBytes: Int { get }
  /// Bytes written and read by a run besides its operands, for all threads together.
  var workspaceBytes: Int { get }

  /// Packs other weights of the same shape.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  func setWeights(_ weights: UnsafeBufferPointer<Float>) throws(ConvolutionError)

  /// Computes the output's interior from an input whose halo holds zeros; the output's halo is not touched. The residual may be
  /// the output's own buffer, which is then replaced.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` before anything is written.
  func run(
    input: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>, residual: UnsafeBufferPointer<Float>?
  ) throws(ConvolutionError)

  /// The same from NCHW to NCHW, for whoever has its operands so; with the same weights.
  /// - Returns: `nil` where converting the operands as a whole is as good.
  /// - Throws: ``ConvolutionError`` where there is no memory for it.
  func dense() throws(ConvolutionError) -> (any PreparedConvolution)?
}

extension PreparedConvolution {
  public func dense() throws(ConvolutionError) -> (any PreparedConvolution)? { nil }
}

/// A backward-weights pass that is ready to run, one run at a time.
public protocol PreparedWeightGradient: AnyObject, Sendable {
  var problem: Conv2dProblem { get }
  var strategyName: String { get }
  /// The layout of x, and that of dy.
  var inputLayout: BlockedLayout { get }
  var outputGradientLayout: BlockedLayout { get }
  var workspaceBytes: Int { get }

  /// Computes dw (K×(C/groups)×R×S, dense) from x and dy, whose halos hold zeros.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` before anything is written.
  func run(
    input: UnsafeBufferPointer<Float>, outputGradient: UnsafeBufferPointer<Float>,
    weightGradient: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError)
}
