import Convolution
import Problems
import Tensors

/// Turns a plan into steps that run forward and backward, with the memory between them.
///
/// Activations stay as they are until the way back has passed them. Gradients share memory where their lives do not meet; the
/// gradient of a residual takes the place of the sum's.
struct TrainingBuilder {
  /// One step, and where it finds what it reads and writes.
  struct Step {
    enum Work {
      case convolution(TrainedConvolution)
      case maxPool(BlockedMaxPool)
      case mean(BlockedMean)
    }

    let work: Work
    /// Positions among the activations.
    let input: Int
    let output: Int
    let residual: Int?
    let gradients: GradientPlaces
  }

  /// The positions among the gradients of what a step reads and writes on the way back.
  struct GradientPlaces {
    /// Of the output.
    let dOutput: Int
    /// Of the input, where it is wanted.
    var dInput: Int?
    /// Whether the input's gradient holds a part already.
    var accumulates = false
    /// Where the gradient as far as the ReLU is open goes, for the residual.
    var masked: Int?
    /// The residual's gradient, where that holds a part already, to which the masked one is added.
    var addsMaskedTo: Int?
    /// Where dz goes: by default over the output's gradient.
    var dProducts: Int
    /// The gradient of the input's copy in other blocks.
    var converted: Int?

    init(dOutput: Int) {
      self.dOutput = dOutput
      dProducts = dOutput
    }
  }

  struct Built {
    var steps: [Step]
    var activations: [AlignedBuffer]
    var activationLayouts: [BlockedLayout]
    /// A buffer and a layout for every gradient.
    var gradients: [(buffer: AlignedBuffer, layout: BlockedLayout)]
    /// Positions of the gradients that are given, by result, and of the input's if it is wanted.
    var given: [String: Int]
    var dInput: Int?
    var gradientBytes: Int
  }

  let options: ConvolutionOptions
  let strategies: NetworkStrategies
  private var layouts: [BlockedLayout] = []
  private var lives: [MemoryPlan<BlockedLayout>.Life] = []

  init(options: ConvolutionOptions, strategies: NetworkStrategies) {
    self.options = options
    self.strategies = strategies
  }

  /// The strategies of a convolution's three passes.
  private struct Chosen {
    var forward: any ConvolutionStrategy
    var backwardData: any ConvolutionStrategy
    var backwardWeights: any ConvolutionStrategy
  }

  private func chosen(_ step: FusedPlan.Step) -> Chosen? {
    guard case .convolution(let convolution) = step.work else { return nil }
    func choice(_ pass: ConvolutionPass) -> any ConvolutionStrategy {
      strategies.choice(
        convolution.problem, pass, setting: NetworkStrategies.trainingSetting(threads: options.threads),
        repacksWeights: true, options.instructionSet)
    }
    return Chosen(
      forward: choice(.forward), backwardData: choice(.backwardData), backwardWeights: choice(.backwardWeights))
  }

  /// - Parameters:
  ///   - plan: what is computed.
  ///   - parameters: on which.
  ///   - given: the results whose gradients are given.
  ///   - wantsInputGradient: whether the images' gradient is asked for.
  /// - Throws: ``ExecutionError``.
  mutating func build(
    _ plan: FusedPlan, _ parameters: NetworkParameters, given: Set<String>, wantsInputGradient: Bool
  ) throws(ExecutionError) -> Built {
    let chosen = plan.steps.map { self.chosen($0) }
    let vectorWidth = try translating { () throws(ConvolutionError) in try options.instructionSet.vectorWidth() }
    var forwardNeeds: [LayoutPlan.Needs] = []
    var backwardNeeds: [LayoutPlan.Needs] = []
    for (step, chosen) in zip(plan.steps, chosen) {
      guard case .convolution(let convolution) = step.work, let chosen else {
        forwardNeeds.append(.init())
        backwardNeeds.append(.init())
        continue
      }
      let problem = convolution.problem
      let dProducts = chosen.backwardData.requiredHalo(problem, .backwardData)
      // A weight gradient reads its input as a forward pass does.
      forwardNeeds.append(
        .init(
          input: chosen.forward.requiredHalo(problem, .forward)
            .union(chosen.backwardWeights.requiredHalo(problem, .forward))))
      backwardNeeds.append(.init(output: step.residual == nil ? dProducts : .init()))
    }
    let activations = try LayoutPlan(plan, forwardNeeds, vectorWidth: vectorWidth)
    let gradients = try LayoutPlan(plan, backwardNeeds, vectorWidth: vectorWidth)

    let places = try placesOfGradients(
      plan, gradients, chosen, given: given, wantsInputGradient: wantsInputGradient)
    var steps: [Step] = []
    for (number, step) in plan.steps.enumerated() {
      let work = try prepare(step, number, chosen[number], parameters, activations, places[number])
      steps.append(
        Step(work: work, input: step.input, output: step.output, residual: step.residual, gradients: places[number]))
    }
    return try placed(plan, activations, steps)
  }

  // MARK: Lives of gradients

  /// The position of each gradient, by activation, as the way back goes on.
  private var gradientOf: [Int: Int] = [:]
  private var givenPlaces: [String: Int] = [:]

  private mutating func write(_ layout: BlockedLayout, at time: Int, replacing: Int? = nil) -> Int {
    layouts.append(layout)
    lives.append(.init(written: time, lastRead: time, replaces: replacing))
    return layouts.count - 1
  }

  /// Says for every step, from the last to the first, where it finds its output's gradient and where it puts the others.
  private mutating func placesOfGradients(
    _ plan: FusedPlan, _ gradients: LayoutPlan, _ chosen: [Chosen?], given: Set<String>, wantsInputGradient: Bool
  ) throws(ExecutionError) -> [GradientPlaces] {
    for result in plan.results where given.contains(result.name) {
      let place = write(try gradients.layout(result.activation), at: -1)
      gradientOf[result.activation] = place
      givenPlaces[result.name] = place
    }
    var all: [GradientPlaces] = []
    for (time, step) in plan.steps.reversed().enumerated() {
      let number = plan.steps.count - 1 - time
      guard let dOutput = gradientOf[step.output] else {
        throw .unsupported(layer: step.layers[0], reason: "expected a gradient of its output, found none")
      }
      lives[dOutput].lastRead = time
      var places = GradientPlaces(dOutput: dOutput)
      if let residual = step.residual, case .convolution(let convolution) = step.work, let chosen = chosen[number] {
        let layout = try gradients.layout(residual)
        if let known = gradientOf[residual] {
          guard layouts[known] == layouts[dOutput] else {
            throw .unsupported(layer: step.layers[0], reason: "a residual in blocks of its own")
          }
          (places.masked, places.addsMaskedTo) = (dOutput, known)
          lives[known].lastRead = time
        } else {
          let place = write(layout, at: time, replacing: dOutput)
          (gradientOf[residual], places.masked) = (place, place)
        }
        let halo = chosen.backwardData.requiredHalo(convolution.problem, .backwardData)
        let own = layouts[dOutput]
        places.dProducts = write(
          try translating { () throws(ConvolutionError) in try own.with(halo: halo) }, at: time)
      }
      if step.input != 0 || wantsInputGradient { try placeInput(step, number, time, gradients, &places) }
      all.append(places)
    }
    return all.reversed()
  }

  private mutating func placeInput(
    _ step: FusedPlan.Step, _ number: Int, _ time: Int, _ gradients: LayoutPlan, _ places: inout GradientPlaces
  ) throws(ExecutionError) {
    let layout = try gradients.layout(step.input)
    let read = try gradients.layoutRead(by: step, number)
    places.accumulates = gradientOf[step.input] != nil
    let place = gradientOf[step.input] ?? write(layout, at: time)
    lives[place].lastRead = time
    (gradientOf[step.input], places.dInput) = (place, place)
    guard read != layout else { return }
    guard !places.accumulates else {
      throw .unsupported(layer: step.layers[0], reason: "another reader of what it reads in blocks of its own")
    }
    places.converted = write(read, at: time)
  }

  // MARK: Steps

  private func prepare(
    _ step: FusedPlan.Step, _ number: Int, _ chosen: Chosen?, _ parameters: NetworkParameters,
    _ activations: LayoutPlan, _ places: GradientPlaces
  ) throws(ExecutionError) -> Step.Work {
    let kept = try activations.layout(step.input)
    let input = try activations.layoutRead(by: step, number)
    let output = try activations.layout(step.output)
    var options = options
    options.inputHalo = input.halo
    options.outputHalo = output.halo
    // The network holds its parameters' buffers, and packs after every change.
    options.weightsStay = true
    switch step.work {
    case .maxPool(let problem):
      return .maxPool(try BlockedMaxPool(problem, reading: input, options))
    case .mean: return .mean(try BlockedMean(reading: input, options))
    case .convolution(let convolution):
      guard let chosen else { throw .unsupported(layer: step.layers[0], reason: "no strategy") }
      guard convolution.norm == nil || !convolution.hasBias else {
        throw .unsupported(layer: convolution.layer, reason: "a bias before a batch norm is not trained here")
      }
      let isBare =
        convolution.norm == nil && !convolution.hasBias && !convolution.relu && step.residual == nil
      let dProducts = layouts[places.dProducts]
      let dInput = places.dInput.map { layouts[places.converted ?? $0] }
      let addsToInput = places.accumulates
      let values = UnsafeBufferPointer(try parameters.parameter("\(convolution.layer).weight").values.buffer)
      return try translating { () throws(ConvolutionError) in
        var forwardOptions = options
        if !isBare { forwardOptions.outputHalo = .init() }
        let forward = try chosen.forward.prepare(
          convolution.problem, .forward, weights: values, epilogue: ConvolutionEpilogue(), options: forwardOptions)
        var backwardOptions = options
        backwardOptions.inputHalo = dProducts.halo
        backwardOptions.outputHalo = dInput?.halo ?? .init()
        let backward =
          dInput == nil
          ? nil
          : try chosen.backwardData.prepare(
            convolution.problem, .backwardData, weights: values,
            epilogue: ConvolutionEpilogue(addsResidual: addsToInput), options: backwardOptions)
        var gradientOptions = options
        gradientOptions.outputHalo = dProducts.halo
        let gradient = try chosen.backwardWeights.prepareWeightGradient(convolution.problem, options: gradientOptions)
        let normalisation = isBare ? nil : try BlockedNormalisation(output, options: options)
        try requireEqual(forward.inputLayout, input, "\(convolution.layer) input")
        try requireEqual(forward.outputLayout, normalisation?.inputLayout ?? output, "\(convolution.layer) output")
        try requireEqual(gradient.inputLayout, input, "\(convolution.layer) input, for its weights")
        try requireEqual(
          gradient.outputGradientLayout, dProducts, "\(convolution.layer) output gradient, for its weights")
        if let backward, let dInput {
          try requireEqual(backward.inputLayout, dProducts, "\(convolution.layer) output gradient")
          try requireEqual(backward.outputLayout, dInput, "\(convolution.layer) input gradient")
        }
        var conversion: TrainedConvolution.Conversion?
        if input != kept, let place = places.dInput, let gradient = places.converted {
          conversion = TrainedConvolution.Conversion(
            copy: try AlignedBuffer(zeros: input.count, name: "activation"),
            forward: try BlockConversion(from: kept, to: input, options: options),
            backward: try BlockConversion(from: layouts[gradient], to: layouts[place], options: options))
        }
        return .convolution(
          try TrainedConvolution(
            convolution, forward: forward, backwardData: backward, weightGradient: gradient,
            normalisation: normalisation, conversion: conversion, revision: parameters.revision))
      }
    }
  }

  private func requireEqual(
    _ found: BlockedLayout, _ expected: BlockedLayout, _ name: String
  ) throws(ConvolutionError) {
    guard found == expected else {
      throw .layoutMismatch(name: name, expected: "\(expected)", found: "\(found)")
    }
  }

  // MARK: Memory

  private func placed(
    _ plan: FusedPlan, _ activations: LayoutPlan, _ steps: [Step]
  ) throws(ExecutionError) -> Built {
    func buffer(_ count: Int, _ name: String) throws(ExecutionError) -> AlignedBuffer {
      try translating { () throws(ConvolutionError) in try AlignedBuffer(zeros: count, name: name) }
    }
    var kept: [AlignedBuffer] = []
    var keptLayouts: [BlockedLayout] = []
    for activation in plan.activations.indices {
      let layout = try activations.layout(activation)
      keptLayouts.append(layout)
      kept.append(try buffer(layout.count, "activation"))
    }
    // A gradient's life begins when it is first written, in the order of the positions.
    let memory = MemoryPlan(layouts, lives)
    var slots: [AlignedBuffer] = []
    for layout in memory.slots { slots.append(try buffer(layout.count, "gradient")) }
    return Built(
      steps: steps, activations: kept, activationLayouts: keptLayouts,
      gradients: layouts.indices.map { (slots[memory.slotOf[$0]], layouts[$0]) }, given: givenPlaces,
      dInput: gradientOf[0], gradientBytes: slots.reduce(0) { $0 + $1.bytes })
  }
}
