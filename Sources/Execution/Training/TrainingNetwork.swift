import Convolution
import Problems
import Tensors

/// A residual network, a block or a layer, prepared once for mini-batches of one size, that computes gradients: forward in the
/// mode of its plan, and backward from the gradients of its results.
///
///     let network = try TrainingNetwork(plan, weights: initial, threads: 2)
///     let optimizer = try NetworkOptimizer(.adam(options), threads: 2)
///     let loss = try network.step(images, labels: labels, optimizer)
///
/// Convolutions, their gradients and the batch norms' sums are the same bit for bit on any number of threads. Not for two
/// threads at once.
public final class TrainingNetwork {
  public let inputShape: Shape
  public let threads: Int
  public let instructionSet: InstructionSet
  /// What the network is computed on, and the gradients that a backward pass leaves.
  public let parameters: NetworkParameters
  /// By name: `stage1` … and `logits` of a network, `y` of a block.
  public let resultShapes: [String: Shape]

  private let results: [String: Int]
  private let steps: [TrainingBuilder.Step]
  private let activations: [AlignedBuffer]
  private let activationLayouts: [BlockedLayout]
  private let gradients: [(buffer: AlignedBuffer, layout: BlockedLayout)]
  private let given: [String: Int]
  private let dInput: Int?
  private let updates: FloatUpdates
  private let options: ConvolutionOptions
  /// Bytes of activations with the convolutions' products, and of their gradients.
  public let activationBytes: Int
  public let gradientBytes: Int

  /// A network.
  /// - Parameters:
  ///   - plan: in training mode, or in evaluation for gradients on running statistics.
  ///   - weights: tensors by their `state_dict` name. What the network does not need is ignored, and so is what `parameters`
  ///     knows already.
  ///   - parameters: shared with networks of other batches; by default its own.
  ///   - threads: that share the work; they change no bit.
  ///   - instructionSet: by default that of `ASSAY_ISA`, or the widest there is.
  ///   - strategies: how each convolution is computed.
  ///   - given: the results whose gradients ``backward(_:)`` is given.
  ///   - wantsInputGradient: whether it gives the images' gradient, too.
  /// - Throws: ``ExecutionError``.
  public convenience init(
    _ plan: NetworkPlan, weights: [String: AnyTensor] = [:], parameters: NetworkParameters = NetworkParameters(),
    threads: Int = 1, instructionSet: InstructionSet? = nil, strategies: NetworkStrategies = .automatic(.shared),
    given: Set<String> = ["logits"], wantsInputGradient: Bool = false
  ) throws(ExecutionError) {
    try self.init(
      FusedPlan(plan), weights, parameters, threads, instructionSet, strategies, given: given,
      wantsInputGradient: wantsInputGradient)
  }

  /// One residual block, with the gradient of what it reads; its result is `y`.
  /// - Throws: ``ExecutionError``.
  public convenience init(
    _ block: ResidualBlockPlan, weights: [String: AnyTensor], threads: Int = 1, instructionSet: InstructionSet? = nil,
    strategies: NetworkStrategies = .automatic(.shared)
  ) throws(ExecutionError) {
    try self.init(
      FusedPlan(block), weights, NetworkParameters(), threads, instructionSet, strategies, given: ["y"],
      wantsInputGradient: true)
  }

  /// One layer, with the gradient of what it reads; its result is `y`.
  /// - Throws: ``ExecutionError``.
  public convenience init(
    _ layer: NetworkLayer, weights: [String: AnyTensor], threads: Int = 1, instructionSet: InstructionSet? = nil,
    strategies: NetworkStrategies = .automatic(.shared)
  ) throws(ExecutionError) {
    try self.init(
      FusedPlan(layer), weights, NetworkParameters(), threads, instructionSet, strategies, given: ["y"],
      wantsInputGradient: true)
  }

  private init(
    _ plan: FusedPlan, _ weights: [String: AnyTensor], _ parameters: NetworkParameters, _ threads: Int,
    _ instructionSet: InstructionSet?, _ strategies: NetworkStrategies, given: Set<String>, wantsInputGradient: Bool
  ) throws(ExecutionError) {
    let options = try translating { () throws(ConvolutionError) in
      try ConvolutionOptions(threads: threads, choosing: instructionSet)
    }
    try Self.adopt(plan, StateDict(tensors: weights), into: parameters)
    self.options = options
    self.threads = threads
    self.instructionSet = options.instructionSet
    self.parameters = parameters
    inputShape = plan.inputShape
    resultShapes = Dictionary(uniqueKeysWithValues: plan.results.map { ($0.name, $0.shape) })
    results = Dictionary(uniqueKeysWithValues: plan.results.map { ($0.name, $0.activation) })
    updates = try translating { () throws(ConvolutionError) in try FloatUpdates(options: options) }
    var builder = TrainingBuilder(options: options, strategies: strategies)
    let built = try builder.build(plan, parameters, given: given, wantsInputGradient: wantsInputGradient)
    (steps, activations, activationLayouts) = (built.steps, built.activations, built.activationLayouts)
    (gradients, self.given, dInput) = (built.gradients, built.given, built.dInput)
    gradientBytes = built.gradientBytes
    activationBytes =
      built.activations.reduce(0) { $0 + $1.bytes }
      + built.steps.reduce(0) {
        guard case .convolution(let trained) = $1.work else { return $0 }
        return $0 + trained.keptBytes
      }
  }

  private static func adopt(
    _ plan: FusedPlan, _ weights: StateDict, into parameters: NetworkParameters
  ) throws(ExecutionError) {
    let known = Set(parameters.names)
    for case .convolution(let convolution) in plan.steps.map(\.work)
    where !known.contains("\(convolution.layer).weight") {
      let vector = Shape(convolution.problem.outputChannels)
      try parameters.adopt("\(convolution.layer).weight", try weights.weights(of: convolution))
      if convolution.hasBias {
        let name = "\(convolution.layer).bias"
        try parameters.adopt(name, try weights.tensor(name, vector))
      }
      guard let norm = convolution.norm else { continue }
      for (name, isThere) in [("weight", norm.problem.hasWeight), ("bias", norm.problem.hasBias)] where isThere {
        try parameters.adopt("\(norm.layer).\(name)", try weights.tensor("\(norm.layer).\(name)", vector))
      }
      guard norm.problem.tracksRunningStatistics else { continue }
      for name in ["running_mean", "running_var"] {
        parameters.statistics["\(norm.layer).\(name)"] = try weights.tensor("\(norm.layer).\(name)", vector)
      }
      let counter = "\(norm.layer).num_batches_tracked"
      parameters.counters[counter] = weights.tensors[counter]?.integers
    }
  }

  // MARK: Passes

  /// Computes the results, and keeps what a backward pass needs.
  /// - Parameter images: of ``inputShape``.
  /// - Throws: ``ExecutionError``.
  public func forward(_ images: Tensor<Float>) throws(ExecutionError) {
    guard images.shape == inputShape else {
      throw .operand(name: "images", expected: "shape \(inputShape)", found: "\(images.shape)")
    }
    try pack(images, activations[0], activationLayouts[0])
    for step in steps {
      let input = UnsafeBufferPointer(activations[step.input].buffer)
      let output = activations[step.output].buffer
      switch step.work {
      case .convolution(let trained):
        let residual = step.residual.map { UnsafeBufferPointer(activations[$0].buffer) }
        try trained.run(input: input, residual: residual, output: output, parameters)
      case .maxPool(let pool):
        try translating { () throws(ConvolutionError) in try pool.run(input: input, output: output) }
      case .mean(let mean):
        try translating { () throws(ConvolutionError) in try mean.run(input: input, output: output) }
      }
    }
  }

  /// A result of the last forward pass.
  /// - Throws: ``ExecutionError/operand(name:expected:found:)`` for another name.
  public func result(_ name: String) throws(ExecutionError) -> Tensor<Float> {
    guard let activation = results[name], let shape = resultShapes[name] else {
      let known = resultShapes.keys.sorted().joined(separator: ", ")
      throw .operand(name: "result", expected: "one of \(known)", found: name)
    }
    return try unpack(activations[activation], activationLayouts[activation], shape)
  }

  /// Computes the gradients of all parameters by the last forward pass.
  /// - Parameter dResults: the gradients of the results that it was prepared for.
  /// - Throws: ``ExecutionError``.
  public func backward(_ dResults: [String: Tensor<Float>]) throws(ExecutionError) {
    for (name, place) in given.sorted(by: { $0.key < $1.key }) {
      guard let gradient = dResults[name], gradient.shape == resultShapes[name] else {
        throw .operand(
          name: "gradient of \(name)", expected: "shape \(resultShapes[name].map { "\($0)" } ?? "of a result")",
          found: dResults[name].map { "\($0.shape)" } ?? "none")
      }
      try pack(gradient, gradients[place].buffer, gradients[place].layout)
    }
    for step in steps.reversed() { try runBackward(step) }
  }

  private func runBackward(_ step: TrainingBuilder.Step) throws(ExecutionError) {
    func place(_ position: Int) -> BlockedNormalisation.Place {
      .init(gradients[position].buffer.buffer, gradients[position].layout)
    }
    let input = UnsafeBufferPointer(activations[step.input].buffer)
    let places = step.gradients
    let (dOutput, dInput) = (place(places.dOutput), places.dInput.map(place))
    switch step.work {
    case .convolution(let trained):
      try trained.runBackward(
        .init(
          input: input, output: UnsafeBufferPointer(activations[step.output].buffer), dOutput: dOutput,
          masked: places.masked.map(place), dProducts: place(places.dProducts), dInput: dInput,
          dConverted: places.converted.map(place)), parameters)
      if let masked = places.masked, let target = places.addsMaskedTo {
        try translating { () throws(ConvolutionError) in
          try updates.add(
            UnsafeBufferPointer(gradients[masked].buffer.buffer), to: gradients[target].buffer.buffer)
        }
      }
    case .maxPool(let pool):
      guard let dInput else { return }
      try translating { () throws(ConvolutionError) in
        try pool.runBackward(
          input: input, outputGradient: UnsafeBufferPointer(dOutput.buffer), gradientLayout: dOutput.layout,
          inputGradient: dInput.buffer, dInput.layout, accumulates: places.accumulates)
      }
    case .mean(let mean):
      guard let dInput else { return }
      try translating { () throws(ConvolutionError) in
        try mean.runBackward(
          outputGradient: UnsafeBufferPointer(dOutput.buffer), gradientLayout: dOutput.layout,
          inputGradient: dInput.buffer, dInput.layout, accumulates: places.accumulates)
      }
    }
  }

  /// The images' gradient by the last backward pass.
  /// - Throws: ``ExecutionError/operand(name:expected:found:)`` unless the network was prepared for it.
  public func inputGradient() throws(ExecutionError) -> Tensor<Float> {
    guard let dInput else {
      throw .operand(name: "gradient of x", expected: "a network prepared for it", found: "one that is not")
    }
    return try unpack(gradients[dInput].buffer, gradients[dInput].layout, inputShape)
  }

  /// One mini-batch: forward, mean cross-entropy, backward, and a step of the optimiser.
  /// - Parameters:
  ///   - images: of ``inputShape``.
  ///   - labels: a class for each.
  ///   - optimizer: what moves the parameters.
  ///   - learningRate: in place of the optimiser's own.
  /// - Returns: the loss before the step.
  /// - Throws: ``ExecutionError``; before the step nothing but running statistics is changed.
  @discardableResult
  public func step(
    _ images: Tensor<Float>, labels: Tensor<Int64>, _ optimizer: NetworkOptimizer, learningRate: Double? = nil
  ) throws(ExecutionError) -> Double {
    try forward(images)
    let logits = try result("logits")
    let loss = try Classification.crossEntropy(logits, labels: labels)
    try backward(["logits": try Classification.crossEntropyGradient(logits, labels: labels)])
    try optimizer.step(parameters, learningRate: learningRate)
    return loss
  }

  /// How many passes each strategy computes: `backward_data: direct 12, …`.
  public var strategySummary: String {
    var counts: [ConvolutionPass: [String: Int]] = [:]
    for case .convolution(let trained) in steps.map(\.work) {
      for (pass, name) in trained.strategyNames { counts[pass, default: [:]][name, default: 0] += 1 }
    }
    return ConvolutionPass.allCases.compactMap { pass in
      counts[pass].map { counts in
        let parts = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return "\(pass.rawValue): \(parts.joined(separator: ", "))"
      }
    }.joined(separator: "; ")
  }

  /// One pass of a convolution, and what it took in the last step with the packing of its weights.
  public struct PassTime: Sendable {
    public let problem: Conv2dProblem
    public let pass: ConvolutionPass
    public let strategy: String
    public let nanoseconds: Int
  }

  /// Of all convolutions, in the order of the network.
  public var passTimes: [PassTime] {
    steps.flatMap { step -> [PassTime] in
      guard case .convolution(let trained) = step.work else { return [] }
      return ConvolutionPass.allCases.compactMap { pass in
        guard let time = trained.nanoseconds[pass], let strategy = trained.strategyNames[pass] else { return nil }
        return PassTime(
          problem: trained.convolution.problem, pass: pass, strategy: strategy, nanoseconds: time)
      }
    }
  }

  // MARK: Layouts

  private func pack(
    _ dense: Tensor<Float>, _ buffer: AlignedBuffer, _ layout: BlockedLayout
  ) throws(ExecutionError) {
    try translating { () throws(ConvolutionError) in
      let conversion = try LayoutConversion(layout, options: options)
      try dense.elements.withUnsafeBufferPointer { (dense) throws(ConvolutionError) in
        try conversion.pack(dense, into: buffer.buffer)
      }
    }
  }

  private func unpack(
    _ buffer: AlignedBuffer, _ layout: BlockedLayout, _ shape: Shape
  ) throws(ExecutionError) -> Tensor<Float> {
    var dense = Tensor<Float>(zeros: shape)
    try translating { () throws(ConvolutionError) in
      let conversion = try LayoutConversion(layout, options: options)
      try dense.elements.withUnsafeMutableBufferPointer { (dense) throws(ConvolutionError) in
        try conversion.unpack(UnsafeBufferPointer(buffer.buffer), into: dense)
      }
    }
    return dense
  }
}
