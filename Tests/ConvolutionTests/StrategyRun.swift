import Convolution
import Foundation
import Operations
import Problems
import Tensors

extension InstructionSet {
  /// Those that are looked at: all of this machine, or the one that `ASSAY_ISA` names.
  static let tested = (try? named(ProcessInfo.processInfo.environment["ASSAY_ISA"] ?? "")).map { [$0] } ?? available
}

/// One strategy, pass and instruction set on one random problem, inside guard bands.
struct StrategyRun {
  let strategy: any ConvolutionStrategy
  let pass: ConvolutionPass
  let options: ConvolutionOptions
  let random: RandomConvolution
  let epilogue: ConvolutionEpilogue
  let residual: [Float]
  /// The bounds of a Winograd strategy.
  private let winograd: WinogradBound.Bounds?

  init(
    _ strategy: any ConvolutionStrategy, _ pass: ConvolutionPass, _ instructionSet: InstructionSet,
    _ random: RandomConvolution, threads: Int = 1
  ) {
    self.strategy = strategy
    self.pass = pass
    self.random = random
    var generator = SplitMix64(seed: random.seed ^ 0xfeed)
    // A halo that nobody asked for must neither be needed nor touched.
    func halo() -> BlockedLayout.Halo {
      BlockedLayout.Halo(
        top: .random(in: 0...2, using: &generator), left: .random(in: 0...2, using: &generator),
        bottom: .random(in: 0...2, using: &generator), right: .random(in: 0...2, using: &generator))
    }
    options = ConvolutionOptions(
      threads: threads, instructionSet: instructionSet, inputHalo: halo(), outputHalo: halo())
    let channels = random.problem.outputChannels
    func vector() -> [Float]? {
      guard Bool.random(using: &generator) else { return nil }
      return (0..<channels).map { _ in Float(Int.random(in: -3...3, using: &generator)) }
    }
    if pass == .forward {
      epilogue = ConvolutionEpilogue(
        scale: vector(), shift: vector(), addsResidual: .random(using: &generator), relu: .random(using: &generator))
    } else {
      epilogue = ConvolutionEpilogue()
    }
    residual =
      epilogue.addsResidual
      ? (0..<random.problem.outputShape.count).map { _ in Float(Int.random(in: -9...9, using: &generator)) } : []
    winograd = Self.winogradBounds(strategy, pass, random)
  }

  private static func winogradBounds(
    _ strategy: any ConvolutionStrategy, _ pass: ConvolutionPass, _ random: RandomConvolution
  ) -> WinogradBound.Bounds? {
    guard let strategy = strategy as? WinogradStrategy,
      let model = WinogradBound(problem: random.problem, outputTile: strategy.matrices.outputTile)
    else { return nil }
    let (x, w, dy) = (random.x.map(Double.init), random.w.map(Double.init), random.dy.map(Double.init))
    return switch pass {
    case .forward: model.forward(input: x, weight: w)
    case .backwardData: model.backwardData(dOutput: dy, weight: w)
    case .backwardWeights: model.backwardWeights(input: x, dOutput: dy)
    }
  }

  /// The pass's result in NCHW (dw in KCRS).
  func result() throws -> [Float] {
    switch pass {
    case .forward: try gather(random.x)
    case .backwardData: try gather(random.dy)
    case .backwardWeights: try weightGradient()
    }
  }

  /// What is wrong with the result, or nil.
  func check(_ oracle: ConvolutionOracle) throws -> String? {
    let result = try result()
    let sums =
      switch pass {
      case .forward: oracle.forward
      case .backwardData: oracle.inputGradient
      case .backwardWeights: oracle.weightGradient
      }
    guard result.count == sums.value.count else { return "\(result.count) elements, expected \(sums.value.count)" }
    for index in result.indices {
      let (expected, bound) = expectation(sums, index)
      let error = abs(Double(result[index]) - expected)
      let isRight =
        expected.isFinite
        ? error <= bound : expected.isNaN ? result[index].isNaN : Double(result[index]) == expected
      if !isRight {
        return "element \(index): found \(result[index]), expected \(expected), bound \(bound), \(epilogue)"
      }
    }
    return nil
  }

  private func expectation(_ sums: ConvolutionOracle.Sums, _ index: Int) -> (value: Double, bound: Double) {
    var value = sums.value[index]
    var bound = random.isExact ? 0 : self.bound(sums, index)
    let area = random.problem.outputSize.height * random.problem.outputSize.width
    let channel = area == 0 ? 0 : index / area % random.problem.outputChannels
    var size = abs(value)
    if let scale = epilogue.scale {
      value *= Double(scale[channel])
      bound *= Double(abs(scale[channel]))
      size = abs(value)
    }
    if let shift = epilogue.shift {
      value += Double(shift[channel])
      size += Double(abs(shift[channel]))
    }
    if epilogue.addsResidual {
      value += Double(residual[index])
      size += Double(abs(residual[index]))
    }
    // Three more roundings at most, each of a value no larger than `size` and the error so far.
    if !random.isExact { bound += 3 * 0x1p-24 * (size + bound) }
    return (epilogue.relu && value < 0 ? 0 : value, bound)
  }

  private func bound(_ sums: ConvolutionOracle.Sums, _ index: Int) -> Double {
    let direct = min(sums.rigorous(index), sums.statistical(index))
    // A tile with an infinity or NaN has no bound of Winograd's: its finite elements are those of the definition.
    guard let winograd, winograd.statistical[index].isFinite, winograd.rigorous[index].isFinite else { return direct }
    return max(direct, min(winograd.rigorous[index], winograd.statistical[index]))
  }

  private func gather(_ dense: [Float]) throws -> [Float] {
    let prepared = try random.w.withUnsafeBufferPointer {
      try strategy.prepare(random.problem, pass, weights: $0, epilogue: epilogue, options: options)
    }
    let input = try blocked(dense, prepared.inputLayout)
    let before = input.bits
    let output = GuardedBuffer(prepared.outputLayout.count)
    let added = epilogue.addsResidual ? try blocked(residual, prepared.outputLayout) : nil
    try prepared.run(input: input.readable, output: output.mutable, residual: added?.readable)
    guard input.isIntact, output.isIntact, before == input.bits else { throw Damage.guardBand }
    try requireUntouchedHalo(output, prepared.outputLayout)
    let result = GuardedBuffer(prepared.outputLayout.denseCount)
    try LayoutConversion(prepared.outputLayout, options: options).unpack(output.readable, into: result.mutable)
    guard result.isIntact else { throw Damage.guardBand }
    return result.values
  }

  private func weightGradient() throws -> [Float] {
    let prepared = try strategy.prepareWeightGradient(random.problem, options: options)
    let input = try blocked(random.x, prepared.inputLayout)
    let gradient = try blocked(random.dy, prepared.outputGradientLayout)
    let before = (input.bits, gradient.bits)
    let result = GuardedBuffer(random.problem.weightShape.count)
    try prepared.run(
      input: input.readable, outputGradient: gradient.readable, weightGradient: result.mutable)
    guard input.isIntact, gradient.isIntact, result.isIntact, before == (input.bits, gradient.bits) else {
      throw Damage.guardBand
    }
    return result.values
  }

  /// A blocked buffer with zeros in the halo and the reserved NaN in lanes past the channels: those are not to be read.
  private func blocked(_ dense: [Float], _ layout: BlockedLayout) throws -> GuardedBuffer {
    let buffer = GuardedBuffer(layout.count, filledWith: 0)
    for index in paddingLanes(layout) { buffer.pointer[index] = Float(bitPattern: GuardedBuffer.guardBits) }
    try dense.withUnsafeBufferPointer {
      try LayoutConversion(layout, options: options).pack($0, into: buffer.mutable)
    }
    guard buffer.isIntact else { throw Damage.guardBand }
    return buffer
  }

  private func paddingLanes(_ layout: BlockedLayout) -> [Int] {
    let used = layout.channelsPerGroup - (layout.blocksPerGroup - 1) * layout.block
    guard used < layout.block, layout.planeStride > 0 else { return [] }
    return (0..<layout.count).filter {
      $0 / layout.planeStride % layout.blocksPerGroup == layout.blocksPerGroup - 1 && $0 % layout.block >= used
    }
  }

  private func requireUntouchedHalo(_ buffer: GuardedBuffer, _ layout: BlockedLayout) throws {
    guard layout.planeStride > 0 else { return }
    for index in 0..<layout.count {
      let row = index % layout.planeStride / layout.rowStride - layout.halo.top
      let column = index % layout.planeStride % layout.rowStride / layout.block - layout.halo.left
      let inside = (0..<layout.height).contains(row) && (0..<layout.width).contains(column)
      if !inside, buffer.pointer[index].bitPattern != GuardedBuffer.guardBits { throw Damage.halo(index) }
    }
  }

  enum Damage: Error {
    case guardBand
    case halo(Int)
  }

  /// A plain run from NCHW to NCHW.
  static func nchw(
    _ strategy: any ConvolutionStrategy, _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ weights: [Float],
    _ input: [Float], options: ConvolutionOptions
  ) throws -> [Float] {
    let prepared = try weights.withUnsafeBufferPointer {
      try strategy.prepare(problem, pass, weights: $0, epilogue: .init(), options: options)
    }
    let x = GuardedBuffer(prepared.inputLayout.count, filledWith: 0)
    try input.withUnsafeBufferPointer {
      try LayoutConversion(prepared.inputLayout, options: options).pack($0, into: x.mutable)
    }
    let y = GuardedBuffer(prepared.outputLayout.count)
    try prepared.run(input: x.readable, output: y.mutable, residual: nil)
    let result = GuardedBuffer(prepared.outputLayout.denseCount)
    try LayoutConversion(prepared.outputLayout, options: options).unpack(y.readable, into: result.mutable)
    return result.values
  }
}
