import Convolution
import Problems
import Synchronization
import Tensors

/// A residual network, or one block of it, in evaluation: prepared once for a batch of images of one size, then run again and
/// again.
///
///     let network = try InferenceNetwork(.resnet50, weights: file.tensors, batch: 8, threads: 2)
///     let logits = try network(images)
///
/// Activations stay channel-blocked from the first layer to the last. Batch norm, residual and ReLU are done while a
/// convolution's sums are in registers; weights are packed or transformed once. Activations share memory where their lives do
/// not meet, and a run on one thread allocates nothing but the tensor that it returns; on several, what each step hands to the
/// pool.
///
/// `@unchecked Sendable`: buffers are written under `running` alone.
public final class InferenceNetwork: @unchecked Sendable {
  public let inputShape: Shape
  public let threads: Int
  public let instructionSet: InstructionSet
  /// By name: `logits` of a network with `stage1` … where they are asked for, `y` of a block.
  public let resultShapes: [String: Shape]

  private let steps: [PreparedStep]
  /// The results by `resultPlaces`, and what activations share.
  private let buffers: [AlignedBuffer]
  private let resultPlaces: [String: Int]
  private let running = Mutex<Void>(())

  /// A network of the family.
  /// - Parameters:
  ///   - architecture: which one.
  ///   - weights: tensors by their `state_dict` name. What the network does not need is ignored.
  ///   - batch: images of a run.
  ///   - imageSize: their height and width; by default those of the images that the network was made for.
  ///   - classCount: by default as many as the classifier's weights have rows.
  ///   - threads: that share the work. They change no bit as long as the strategies are the same.
  ///   - instructionSet: by default that of `ASSAY_ISA`, or the widest there is.
  ///   - strategies: how each convolution is computed.
  ///   - results: what a run gives: `logits`, and `stage1` … as well if named.
  /// - Throws: ``ExecutionError``.
  public convenience init(
    _ architecture: ResNetArchitecture, weights: [String: AnyTensor], batch: Int = 1, imageSize: Pair? = nil,
    classCount: Int? = nil, threads: Int = 1, instructionSet: InstructionSet? = nil,
    strategies: NetworkStrategies = .automatic(.shared), results: Set<String> = ["logits"]
  ) throws(ExecutionError) {
    let plan: NetworkPlan
    do throws(ProblemError) {
      let size = imageSize ?? Pair(architecture.usualImageSide)
      plan = try architecture.plan(
        inputShape: try ProblemText.shape([batch, 3, size.height, size.width]),
        classCount: classCount ?? weights["fc.weight"].flatMap { $0.shape.rank == 2 ? $0.shape[0] : nil })
    } catch { throw .problem(error) }
    try self.init(
      FusedPlan(plan), StateDict(tensors: weights), threads: threads, instructionSet: instructionSet,
      strategies: strategies, results: results)
  }

  /// The same for a plan that is there already, with the images' shape and the number of classes in it.
  /// - Throws: ``ExecutionError``, for a plan in training mode too.
  public convenience init(
    _ plan: NetworkPlan, weights: [String: AnyTensor], threads: Int = 1, instructionSet: InstructionSet? = nil,
    strategies: NetworkStrategies = .automatic(.shared), results: Set<String> = ["logits"]
  ) throws(ExecutionError) {
    try self.init(
      FusedPlan(plan), StateDict(tensors: weights), threads: threads, instructionSet: instructionSet,
      strategies: strategies, results: results)
  }

  /// One residual block; its result is `y`.
  /// - Throws: ``ExecutionError``, for a block in training mode too.
  public convenience init(
    _ block: ResidualBlockPlan, weights: [String: AnyTensor], threads: Int = 1, instructionSet: InstructionSet? = nil,
    strategies: NetworkStrategies = .automatic(.shared)
  ) throws(ExecutionError) {
    try self.init(
      FusedPlan(block), StateDict(tensors: weights), threads: threads, instructionSet: instructionSet,
      strategies: strategies, results: ["y"])
  }

  /// One layer: a convolution, a classifier, a max pool, or a mean of whole planes; its result is `y`.
  /// - Throws: ``ExecutionError``, for any other layer too.
  public convenience init(
    _ layer: NetworkLayer, weights: [String: AnyTensor], threads: Int = 1, instructionSet: InstructionSet? = nil,
    strategies: NetworkStrategies = .automatic(.shared)
  ) throws(ExecutionError) {
    try self.init(
      FusedPlan(layer), StateDict(tensors: weights), threads: threads, instructionSet: instructionSet,
      strategies: strategies, results: ["y"])
  }

  private init(
    _ plan: FusedPlan, _ weights: StateDict, threads: Int, instructionSet: InstructionSet?,
    strategies: NetworkStrategies, results: Set<String>
  ) throws(ExecutionError) {
    let options = try translating { () throws(ConvolutionError) in
      try ConvolutionOptions(threads: threads, choosing: instructionSet)
    }
    inputShape = plan.inputShape
    self.threads = threads
    self.instructionSet = options.instructionSet
    var builder = NetworkBuilder(options: options, strategies: strategies)
    let network = try builder.build(plan, weights, results: results)
    steps = network.steps
    buffers = network.buffers
    resultPlaces = network.resultPlaces
    resultShapes = Dictionary(
      uniqueKeysWithValues: plan.results.filter { results.contains($0.name) }.map { ($0.name, $0.shape) })
  }

  /// The logits of a batch of images, or the output of a block.
  /// - Parameter images: of ``inputShape``.
  /// - Throws: ``ExecutionError/operand(name:expected:found:)``.
  public func callAsFunction(_ images: Tensor<Float>) throws(ExecutionError) -> Tensor<Float> {
    let name = resultShapes["y"] == nil ? "logits" : "y"
    guard let result = try results(of: images)[name] else {
      throw .operand(name: name, expected: "one of the network's results", found: "none of that name")
    }
    return result
  }

  /// Copies a result of the last run.
  /// - Parameters:
  ///   - name: of the result.
  ///   - target: of its shape.
  /// - Throws: ``ExecutionError/operand(name:expected:found:)``.
  public func copy(_ name: String, into target: inout Tensor<Float>) throws(ExecutionError) {
    guard let place = resultPlaces[name], let shape = resultShapes[name] else {
      let known = resultShapes.keys.sorted().joined(separator: ", ")
      throw .operand(name: "result", expected: "one of \(known)", found: name)
    }
    guard target.shape == shape else {
      throw .operand(name: name, expected: "shape \(shape)", found: "\(target.shape)")
    }
    let source = UnsafeBufferPointer(buffers[place].buffer)
    running.withLock { _ in
      target.elements.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: source) }
    }
  }

  /// All results by name.
  /// - Parameter images: of ``inputShape``.
  /// - Throws: ``ExecutionError/operand(name:expected:found:)``.
  public func results(of images: Tensor<Float>) throws(ExecutionError) -> [String: Tensor<Float>] {
    try run(images)
    var results: [String: Tensor<Float>] = [:]
    for (name, shape) in resultShapes {
      var result = Tensor<Float>(zeros: shape)
      try copy(name, into: &result)
      results[name] = result
    }
    return results
  }

  /// Computes the results and leaves them in the network: what a benchmark times.
  /// - Parameter images: of ``inputShape``.
  /// - Throws: ``ExecutionError/operand(name:expected:found:)``.
  public func run(_ images: Tensor<Float>) throws(ExecutionError) {
    try onImages(images) { (pixels) throws(ConvolutionError) in
      for step in steps { try step.run(pixels, buffers) }
    }
  }

  private func onImages(
    _ images: Tensor<Float>, _ body: (UnsafeBufferPointer<Float>) throws(ConvolutionError) -> Void
  ) throws(ExecutionError) {
    guard images.shape == inputShape else {
      throw .operand(name: "images", expected: "shape \(inputShape)", found: "\(images.shape)")
    }
    try running.withLock { _ throws(ExecutionError) in
      try translating { () throws(ConvolutionError) in
        try images.elements.withUnsafeBufferPointer { (pixels) throws(ConvolutionError) in try body(pixels) }
      }
    }
  }

  /// One step of a run, and what it took.
  public struct StepTime: Sendable {
    /// The layers that it does, as `layer1.0.conv3 + layer1.0.bn3 + …`.
    public let name: String
    /// The convolution that it computes, if it is one.
    public let problem: Conv2dProblem?
    /// Whether it adds a residual.
    public let addsResidual: Bool
    /// The strategy's name, or what else it does.
    public let kind: String
    public let nanoseconds: Int

    /// The first of its layers, which does the work; the others are done on its sums.
    public var layer: String { name.split(separator: " + ").first.map(String.init) ?? name }
  }

  /// The same, with the time of every step.
  /// - Parameter images: of ``inputShape``.
  /// - Throws: ``ExecutionError/operand(name:expected:found:)``.
  public func trace(_ images: Tensor<Float>) throws(ExecutionError) -> [StepTime] {
    var times: [StepTime] = []
    times.reserveCapacity(steps.count)
    try onImages(images) { (pixels) throws(ConvolutionError) in
      let clock = ContinuousClock()
      for step in steps {
        let start = clock.now
        try step.run(pixels, buffers)
        let (seconds, attoseconds) = (clock.now - start).components
        var problem: Conv2dProblem?
        if case .convolution(let prepared) = step.work { problem = prepared.problem }
        times.append(
          StepTime(
            name: step.name, problem: problem, addsResidual: step.residual != nil, kind: step.kind,
            nanoseconds: Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)))
      }
    }
    return times
  }

  /// Bytes of activations and results.
  public var activationBytes: Int { buffers.reduce(0) { $0 + $1.bytes } }
  /// Bytes of packed and transformed weights.
  public var weightBytes: Int { convolutions.reduce(0) { $0 + $1.weightBytes } }
  /// Bytes that strategies write and read besides.
  public var workspaceBytes: Int { convolutions.reduce(0) { $0 + $1.workspaceBytes } }

  /// How many convolutions each strategy computes: `direct 12, winograd4 8`.
  public var strategySummary: String {
    let counts = Dictionary(convolutions.map { ($0.strategyName, 1) }, uniquingKeysWith: +)
    return counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }

  private var convolutions: [any PreparedConvolution] {
    steps.compactMap { if case .convolution(let prepared) = $0.work { prepared } else { nil } }
  }
}
