import Convolution
import Problems
import Tensors

/// A convolution of a network that is trained, with what follows it on the way to the next activation, forward and backward:
/// `z = conv(x)`, then a batch norm or a bias, the residual, and the ReLU.
///
/// z is kept for the way back, on which its batch norm needs it.
final class TrainedConvolution {
  let convolution: FusedPlan.Convolution
  private let forward: any PreparedConvolution
  /// `nil` where nobody asks for the gradient of what it reads.
  private let backwardData: (any PreparedConvolution)?
  private let weightGradient: any PreparedWeightGradient
  /// `nil` where z is the activation itself.
  private let normalisation: BlockedNormalisation?
  private let z: AlignedBuffer?
  /// Where its input is read in other blocks than it is kept in: the copy, and the ways there and back.
  private let conversion: Conversion?
  /// Of the parameters that are packed for either pass.
  private var forwardRevision: Int
  private var backwardRevision: Int
  /// What each pass took last, with the packing of its weights.
  private(set) var nanoseconds: [ConvolutionPass: Int] = [:]

  init(
    _ convolution: FusedPlan.Convolution, forward: any PreparedConvolution, backwardData: (any PreparedConvolution)?,
    weightGradient: any PreparedWeightGradient, normalisation: BlockedNormalisation?, conversion: Conversion?,
    revision: Int
  ) throws(ConvolutionError) {
    self.convolution = convolution
    self.forward = forward
    self.backwardData = backwardData
    self.weightGradient = weightGradient
    self.normalisation = normalisation
    self.conversion = conversion
    (forwardRevision, backwardRevision) = (revision, revision)
    z = try normalisation.map { (norm) throws(ConvolutionError) in
      try AlignedBuffer(zeros: norm.inputLayout.count, name: "products")
    }
  }

  /// Bytes that are kept for the way back beside activations.
  var keptBytes: Int { (z?.bytes ?? 0) + (conversion?.copy.bytes ?? 0) }

  /// The strategy of each pass that it does.
  var strategyNames: [ConvolutionPass: String] {
    var names = [
      ConvolutionPass.forward: forward.strategyName, .backwardWeights: weightGradient.strategyName,
    ]
    names[.backwardData] = backwardData?.strategyName
    return names
  }

  struct Conversion {
    let copy: AlignedBuffer
    let forward: BlockConversion
    let backward: BlockConversion
  }

  private var weightName: String { "\(convolution.layer).weight" }
  private var channels: Int { convolution.problem.outputChannels }

  /// Packs the weights again if they have changed since this pass was run: just before they are read, while they are in a cache.
  private func refresh(
    _ prepared: any PreparedConvolution, _ packed: inout Int, _ parameters: NetworkParameters
  ) throws(ExecutionError) {
    guard packed != parameters.revision else { return }
    let values = UnsafeBufferPointer(try parameters.parameter(weightName).values.buffer)
    try translating { () throws(ConvolutionError) in try prepared.setWeights(values) }
    packed = parameters.revision
  }

  /// Runs a pass, and notes what it took.
  private func timed(
    _ pass: ConvolutionPass, _ body: () throws(ExecutionError) -> Void
  ) throws(ExecutionError) {
    let start = ContinuousClock.now
    try body()
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    nanoseconds[pass] = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
  }

  // MARK: Forward

  func run(
    input: UnsafeBufferPointer<Float>, residual: UnsafeBufferPointer<Float>?,
    output: UnsafeMutableBufferPointer<Float>, _ parameters: NetworkParameters
  ) throws(ExecutionError) {
    let input = try converted(input)
    let target = z?.buffer ?? output
    try timed(.forward) { () throws(ExecutionError) in
      try refresh(forward, &forwardRevision, parameters)
      try translating { () throws(ConvolutionError) in try forward.run(input: input, output: target, residual: nil) }
    }
    guard let normalisation, let z else { return }
    let operands = BlockedNormalisation.Operands(
      input: UnsafeBufferPointer(z.buffer), residual: residual, relu: convolution.relu, output: output)
    let ones = [Double](repeating: 1, count: channels)
    let zeros = [Double](repeating: 0, count: channels)
    guard let norm = convolution.norm else {
      let term = convolution.hasBias ? try values("\(convolution.layer).bias", parameters) : zeros
      let bias = BlockedNormalisation.Normaliser(centre: zeros, inverse: ones, weight: ones, term: term)
      return try translating { () throws(ConvolutionError) in try normalisation.run(operands, by: bias) }
    }
    let problem = norm.problem
    let weight = problem.hasWeight ? try values("\(norm.layer).weight", parameters) : ones
    let term = problem.hasBias ? try values("\(norm.layer).bias", parameters) : zeros
    guard problem.usesBatchStatistics else {
      let means = try statistic("\(norm.layer).running_mean", parameters)
      let inverse = try statistic("\(norm.layer).running_var", parameters).map { 1 / ($0 + problem.eps).squareRoot() }
      let running = BlockedNormalisation.Normaliser(centre: means, inverse: inverse, weight: weight, term: term)
      return try translating { () throws(ConvolutionError) in try normalisation.run(operands, by: running) }
    }
    let moments = try translating { () throws(ConvolutionError) in
      try normalisation.run(operands, weight: weight, term: term, eps: problem.eps)
    }
    if problem.updatesRunningStatistics { update(norm, moments, parameters) }
  }

  private func converted(_ input: UnsafeBufferPointer<Float>) throws(ExecutionError) -> UnsafeBufferPointer<Float> {
    guard let conversion else { return input }
    try translating { () throws(ConvolutionError) in
      try conversion.forward.run(input: input, output: conversion.copy.buffer)
    }
    return UnsafeBufferPointer(conversion.copy.buffer)
  }

  private func values(_ name: String, _ parameters: NetworkParameters) throws(ExecutionError) -> [Double] {
    try parameters.parameter(name).values.buffer.map(Double.init)
  }

  private func statistic(_ name: String, _ parameters: NetworkParameters) throws(ExecutionError) -> [Double] {
    guard let found = parameters.statistics[name] else {
      throw .weight(name: name, expected: "running statistics", found: "none")
    }
    return found.elements.map(Double.init)
  }

  /// running = (1 − f)·running + f·batch with f the momentum, or 1/batches for a cumulative average; the variance is the unbiased
  /// one.
  private func update(
    _ norm: FusedPlan.Convolution.Norm, _ moments: BlockedNormalisation.Moments, _ parameters: NetworkParameters
  ) {
    let counter = "\(norm.layer).num_batches_tracked"
    if let batches = parameters.counters[counter] { parameters.counters[counter] = batches.map { $0 &+ 1 } }
    let factor =
      norm.problem.momentum ?? parameters.counters[counter]?.elements.first.map { 1 / Double($0) } ?? 0
    let count = Double(norm.problem.inputShape.count / norm.problem.channels)
    for (name, batch) in [
      ("running_mean", moments.means), ("running_var", moments.squares.map { $0 / (count - 1) }),
    ] {
      let key = "\(norm.layer).\(name)"
      guard var running = parameters.statistics[key] else { continue }
      for channel in batch.indices {
        running.elements[channel] = Float(
          (1 - factor) * Double(running.elements[channel]) + factor * batch[channel])
      }
      parameters.statistics[key] = running
    }
  }

  // MARK: Backward

  /// The buffers of a backward pass, each with its layout.
  struct BackwardBuffers {
    /// x, and y as the forward pass left them.
    var input: UnsafeBufferPointer<Float>
    var output: UnsafeBufferPointer<Float>
    /// dy.
    var dOutput: BlockedNormalisation.Place
    /// Where dy goes as far as the ReLU is open, for the residual: dy's own buffer, or that of the residual's gradient.
    var masked: BlockedNormalisation.Place?
    /// Where dz goes: dy's own buffer, or one beside it.
    var dProducts: BlockedNormalisation.Place
    /// Where dx goes, or is added to.
    var dInput: BlockedNormalisation.Place?
    /// Likewise of the copy in other blocks.
    var dConverted: BlockedNormalisation.Place?
  }

  func runBackward(_ buffers: BackwardBuffers, _ parameters: NetworkParameters) throws(ExecutionError) {
    if let normalisation, let z {
      try backwardThroughNorm(normalisation, UnsafeBufferPointer(z.buffer), buffers, parameters)
    }
    let dProducts = UnsafeBufferPointer(buffers.dProducts.buffer)
    let weights = try parameters.parameter(weightName)
    let input = conversion.map { UnsafeBufferPointer($0.copy.buffer) } ?? buffers.input
    try timed(.backwardWeights) { () throws(ExecutionError) in
      try translating { () throws(ConvolutionError) in
        try weightGradient.run(
          input: input, outputGradient: dProducts, weightGradient: weights.gradient.buffer)
      }
    }
    guard let backwardData, let target = buffers.dConverted ?? buffers.dInput else { return }
    let residual = backwardData.epilogue.addsResidual ? UnsafeBufferPointer(target.buffer) : nil
    try timed(.backwardData) { () throws(ExecutionError) in
      try refresh(backwardData, &backwardRevision, parameters)
      try translating { () throws(ConvolutionError) in
        try backwardData.run(input: dProducts, output: target.buffer, residual: residual)
      }
    }
    if let conversion, let converted = buffers.dConverted, let dInput = buffers.dInput {
      try translating { () throws(ConvolutionError) in
        try conversion.backward.run(input: UnsafeBufferPointer(converted.buffer), output: dInput.buffer)
      }
    }
  }

  /// dy becomes dz, and gives the gradients of the batch norm's parameters, or of the bias.
  private func backwardThroughNorm(
    _ normalisation: BlockedNormalisation, _ z: UnsafeBufferPointer<Float>, _ buffers: BackwardBuffers,
    _ parameters: NetworkParameters
  ) throws(ExecutionError) {
    let operands = BlockedNormalisation.GradientOperands(
      dOutput: buffers.dOutput,
      // With a residual, z alone does not say what the ReLU let through.
      gate: !convolution.relu ? .open : buffers.masked == nil ? .input : .output(buffers.output), input: z,
      masked: buffers.masked, dInput: buffers.dProducts)
    let sums = try translating { () throws(ConvolutionError) in
      try normalisation.runBackward(
        operands, throughStatistics: convolution.norm?.problem.usesBatchStatistics ?? false)
    }
    if let norm = convolution.norm {
      if norm.problem.hasWeight { try set("\(norm.layer).weight", sums.products, parameters) }
      if norm.problem.hasBias { try set("\(norm.layer).bias", sums.sums, parameters) }
    } else if convolution.hasBias {
      try set("\(convolution.layer).bias", sums.sums, parameters)
    }
  }

  private func set(_ name: String, _ gradient: [Double], _ parameters: NetworkParameters) throws(ExecutionError) {
    let buffer = try parameters.parameter(name).gradient.buffer
    for index in gradient.indices { buffer[index] = Float(gradient[index]) }
  }
}
