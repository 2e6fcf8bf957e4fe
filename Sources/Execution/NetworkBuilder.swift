import Convolution
import Problems
import Tensors

/// Turns a plan into steps that are ready to run.
struct NetworkBuilder {
  /// Steps, and the memory that they run in.
  struct Built {
    var steps: [PreparedStep]
    var buffers: [AlignedBuffer]
    /// By result.
    var resultPlaces: [String: Int]
  }

  let options: ConvolutionOptions
  let strategies: NetworkStrategies
  /// Every activation in the order in which it is written, those that are converted for one reader included.
  private var layouts: [BlockedLayout] = []
  private var lives: [MemoryPlan<BlockedLayout>.Life] = []
  private var steps: [PreparedStep] = []

  init(options: ConvolutionOptions, strategies: NetworkStrategies) {
    self.options = options
    self.strategies = strategies
  }

  /// - Throws: ``ExecutionError``.
  mutating func build(
    _ plan: FusedPlan, _ weights: StateDict, results: Set<String>
  ) throws(ExecutionError) -> Built {
    let chosen = plan.steps.map { step -> any ConvolutionStrategy in
      guard case .convolution(let convolution) = step.work else { return DirectStrategy() }
      let setting = NetworkStrategies.setting(threads: options.threads, addsResidual: step.residual != nil)
      return strategies.choice(convolution.problem, .forward, setting: setting, options.instructionSet)
    }
    let needs = zip(plan.steps, chosen).map { step, strategy in
      guard case .convolution(let convolution) = step.work else { return LayoutPlan.Needs() }
      return LayoutPlan.Needs(input: strategy.requiredHalo(convolution.problem, .forward))
    }
    let vectorWidth = try translating { () throws(ConvolutionError) in try options.instructionSet.vectorWidth() }
    let layoutPlan = try LayoutPlan(plan, needs, vectorWidth: vectorWidth)

    /// The place of each of the plan's activations among all that are written.
    var places: [Int] = []
    places.append(write(try layoutPlan.layout(0)))
    try add("images", .pack(conversion(layouts[0])), input: 0, output: 0)
    var unpacked: [(result: String, step: Int)] = []
    for (number, (step, strategy)) in zip(plan.steps, chosen).enumerated() {
      var input = places[step.input]
      let wanted = try layoutPlan.layoutRead(by: step, number)
      if wanted != layouts[input] { input = try convert(input, to: wanted, step) }
      var residual = step.residual.map { places[$0] }
      if let given = residual {
        let wanted = try layoutPlan.residualLayout(of: step)
        if wanted != layouts[given] { residual = try convert(given, to: wanted, step) }
      }
      let output = write(try layoutPlan.layout(step.output), replacing: residual)
      places.append(output)
      let work = try prepare(step, strategy, weights, input: layouts[input], output: layouts[output])
      try add(step.layers.joined(separator: " + "), work, input: input, output: output, residual: residual)
      for result in plan.results where result.activation == step.output && results.contains(result.name) {
        unpacked.append((result.name, steps.count))
        try add(result.name, .unpack(conversion(layouts[output])), input: output, output: output)
      }
    }
    return try placed(plan, unpacked, results)
  }

  /// Notes a new activation, which the next step writes.
  private mutating func write(_ layout: BlockedLayout, replacing residual: Int? = nil) -> Int {
    layouts.append(layout)
    lives.append(.init(written: steps.count, lastRead: steps.count, replaces: residual))
    return layouts.count - 1
  }

  /// Adds a step, which reads activations until now.
  private mutating func add(
    _ name: String, _ work: PreparedStep.Work, input: Int, output: Int, residual: Int? = nil
  ) throws(ExecutionError) {
    for read in [input, residual].compactMap({ $0 }) { lives[read].lastRead = max(lives[read].lastRead, steps.count) }
    steps.append(PreparedStep(name: name, work: work, input: input, output: output, residual: residual))
  }

  private mutating func convert(
    _ activation: Int, to layout: BlockedLayout, _ step: FusedPlan.Step
  ) throws(ExecutionError) -> Int {
    let converted = write(layout)
    let (source, options) = (layouts[activation], options)
    let conversion = try translating { () throws(ConvolutionError) in
      try BlockConversion(from: source, to: layout, options: options)
    }
    try add(
      "blocks of \(layout.block) for \(step.layers[0])", .convert(conversion), input: activation, output: converted)
    return converted
  }

  private func conversion(_ layout: BlockedLayout) throws(ExecutionError) -> LayoutConversion {
    try translating { () throws(ConvolutionError) in try LayoutConversion(layout, options: options) }
  }

  private func prepare(
    _ step: FusedPlan.Step, _ strategy: any ConvolutionStrategy, _ weights: StateDict, input: BlockedLayout,
    output: BlockedLayout
  ) throws(ExecutionError) -> PreparedStep.Work {
    var options = options
    options.inputHalo = input.halo
    options.outputHalo = output.halo
    switch step.work {
    case .maxPool(let problem):
      return .maxPool(try BlockedMaxPool(problem, reading: input, options))
    case .mean: return .mean(try BlockedMean(reading: input, options))
    case .convolution(let convolution):
      let (scale, shift) = try weights.affine(of: convolution)
      let epilogue = ConvolutionEpilogue(
        scale: scale, shift: shift, addsResidual: step.residual != nil, relu: convolution.relu)
      let values = try weights.weights(of: convolution)
      let prepared = try translating { () throws(ConvolutionError) in
        try values.elements.withUnsafeBufferPointer { (values) throws(ConvolutionError) in
          try strategy.prepare(convolution.problem, .forward, weights: values, epilogue: epilogue, options: options)
        }
      }
      for (name, found, expected) in [
        ("input", prepared.inputLayout, input), ("output", prepared.outputLayout, output),
      ] where found != expected {
        throw .convolution(
          .layoutMismatch(name: "\(convolution.layer) \(name)", expected: "\(expected)", found: "\(found)"))
      }
      return .convolution(prepared)
    }
  }

  /// Gives every activation its memory: the results first, then what the activations share.
  private func placed(
    _ plan: FusedPlan, _ unpacked: [(result: String, step: Int)], _ results: Set<String>
  ) throws(ExecutionError) -> Built {
    let memory = MemoryPlan(layouts, lives)
    func buffer(_ count: Int, _ name: String) throws(ExecutionError) -> AlignedBuffer {
      try translating { () throws(ConvolutionError) in try AlignedBuffer(zeros: count, name: name) }
    }
    var buffers: [AlignedBuffer] = []
    var resultPlaces: [String: Int] = [:]
    for result in plan.results where results.contains(result.name) {
      resultPlaces[result.name] = buffers.count
      buffers.append(try buffer(result.shape.count, result.name))
    }
    let first = buffers.count
    for layout in memory.slots { buffers.append(try buffer(layout.count, "activation")) }
    var placed = steps
    for index in placed.indices {
      placed[index].input = first + memory.slotOf[placed[index].input]
      placed[index].output = first + memory.slotOf[placed[index].output]
      placed[index].residual = placed[index].residual.map { first + memory.slotOf[$0] }
    }
    for (name, step) in unpacked { placed[step].output = resultPlaces[name] ?? 0 }
    return Built(steps: placed, buffers: buffers, resultPlaces: resultPlaces)
  }
}
