import Convolution
import Operations
import Problems
import Tensors
import Testing

@Suite("Winograd")
struct WinogradTests {
  static let tiles = [2, 4, 6]
  static let instructionSets = InstructionSet.available

  /// Random problems with tails in every extent, paddings 0 to 3 and halos that Winograd does not need.
  static func randomProblem(_ seed: UInt64) throws -> Conv2dProblem {
    var generator = SplitMix64(seed: seed)
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    let channels = [1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 32, 33, 40]
    let padding = Pair(pick(0...3), pick(0...3))
    return try Conv2dProblem(
      batch: pick(1...3), inputChannels: channels[pick(0...channels.count - 1)],
      inputSize: Pair(max(1, 3 - 2 * padding.height) + pick(0...16), max(1, 3 - 2 * padding.width) + pick(0...16)),
      outputChannels: channels[pick(0...channels.count - 1)], kernelSize: 3, padding: .explicit(padding),
      hasBias: pick(0...1) == 1)
  }

  /// The worst error / statistical bound; an element outside the rigorous bound counts as infinite.
  static func worst(_ found: [Float], _ exact: [Double], _ bounds: WinogradBound.Bounds) -> Double {
    var worst = 0.0
    for (index, value) in found.enumerated() {
      let error = abs(Double(value) - exact[index])
      // Written so that NaN fails.
      guard error <= bounds.rigorous[index] else { return .infinity }
      if error > 0 { worst = max(worst, error / bounds.statistical[index]) }
    }
    return worst
  }

  /// Over the random problems of these seeds.
  /// - Parameter result: what was computed, the exact sums and their bounds.
  private func expectWithinTheBound(
    _ pass: String, _ tile: Int, _ instructionSet: InstructionSet, seeds: Range<UInt64>,
    _ result: (
      WinogradStrategy, WinogradBound, Conv2dProblem, WinogradHarness, _ seed: UInt64
    ) throws -> (found: [Float], exact: [Double], bounds: WinogradBound.Bounds)
  ) throws {
    let strategy = try #require(WinogradStrategy(outputTile: tile))
    var worst = 0.0
    for seed in seeds {
      let problem = try Self.randomProblem(seed)
      let bound = try #require(WinogradBound(problem: problem, outputTile: tile))
      let (found, exact, bounds) = try result(strategy, bound, problem, WinogradHarness(problem, seed: seed), seed)
      let ratio = Self.worst(found, exact, bounds)
      #expect(ratio <= 1, "seed \(seed): \(problem.text)")
      worst = max(worst, ratio)
    }
    print("winograd\(tile) \(pass) \(instructionSet): worst error / bound \(worst)")
  }

  @Test("Forward stays within the bound on random problems", arguments: tiles, instructionSets)
  func forward(tile: Int, instructionSet: InstructionSet) throws {
    try expectWithinTheBound("forward", tile, instructionSet, seeds: 0..<40) {
      strategy, bound, problem, harness, seed in
      let options = ConvolutionOptions(
        instructionSet: instructionSet, inputHalo: .init(Int(seed % 3)), outputHalo: .init(Int(seed % 2)))
      let prepared = try harness.w.withUnsafeBufferPointer {
        try strategy.prepare(
          problem, .forward, weights: $0, epilogue: .init(shift: problem.hasBias ? harness.bias : nil),
          options: options)
      }
      let plane = problem.outputSize.height * problem.outputSize.width
      let exact = harness.exactForward().enumerated().map { index, sum in
        problem.hasBias ? sum + Double(harness.bias[index / plane % problem.outputChannels]) : sum
      }
      let bounds = bound.forward(
        input: harness.x.map(Double.init), weight: harness.w.map(Double.init),
        bias: problem.hasBias ? harness.bias.map(Double.init) : nil)
      return (try harness.run(prepared), exact, bounds)
    }
  }

  @Test("Backward-data stays within the bound on random problems", arguments: tiles, instructionSets)
  func backwardData(tile: Int, instructionSet: InstructionSet) throws {
    try expectWithinTheBound("backward-data", tile, instructionSet, seeds: 100..<130) {
      strategy, bound, problem, harness, _ in
      let options = ConvolutionOptions(instructionSet: instructionSet)
      let prepared = try harness.w.withUnsafeBufferPointer {
        try strategy.prepare(problem, .backwardData, weights: $0, epilogue: .init(), options: options)
      }
      let bounds = bound.backwardData(dOutput: harness.dy.map(Double.init), weight: harness.w.map(Double.init))
      return (try harness.run(prepared), harness.exactBackwardData(), bounds)
    }
  }

  @Test("Backward-weights stays within the bound on random problems", arguments: tiles, instructionSets)
  func backwardWeights(tile: Int, instructionSet: InstructionSet) throws {
    try expectWithinTheBound("backward-weights", tile, instructionSet, seeds: 200..<230) {
      strategy, bound, problem, harness, seed in
      let options = ConvolutionOptions(
        instructionSet: instructionSet, inputHalo: .init(Int(seed % 3)), outputHalo: .init(Int(seed % 2)))
      let prepared = try strategy.prepareWeightGradient(problem, options: options)
      let bounds = bound.backwardWeights(input: harness.x.map(Double.init), dOutput: harness.dy.map(Double.init))
      return (try harness.run(prepared), harness.exactBackwardWeights(), bounds)
    }
  }

  /// Partial sums of terms of one sign grow up to the sum, and so do their roundings.
  @Test("Long sums of one sign stay within the bound", arguments: tiles)
  func oneSign(tile: Int) throws {
    let problem = try Conv2dProblem(
      batch: 1, inputChannels: 2048, inputSize: Pair(8, 8), outputChannels: 16, kernelSize: 3, padding: .explicit(1))
    let harness = WinogradHarness(problem, seed: 7) { Float($0.nextUniform()) }
    let strategy = try #require(WinogradStrategy(outputTile: tile))
    let bound = try #require(WinogradBound(problem: problem, outputTile: tile))
    let prepared = try harness.w.withUnsafeBufferPointer {
      try strategy.prepare(problem, .forward, weights: $0, epilogue: .init(), options: .init())
    }
    let bounds = bound.forward(input: harness.x.map(Double.init), weight: harness.w.map(Double.init))
    let ratio = Self.worst(try harness.run(prepared), harness.exactForward(), bounds)
    print("winograd\(tile), one sign: worst error / bound \(ratio)")
    #expect(ratio > 0 && ratio <= 1)
  }

  @Test("F(2) is exact on dyadic integers while C·max|w|·max|x| ≤ 2²⁴/324", arguments: instructionSets)
  func exact(instructionSet: InstructionSet) throws {
    let strategy = try #require(WinogradStrategy(outputTile: 2))
    // 2²⁴/324 = 51781 ≥ 32·40·40: 32 channels of |x| and |w| up to 40 units of 2⁻⁷.
    let problem = try Conv2dProblem(
      batch: 2, inputChannels: 32, inputSize: Pair(9, 12), outputChannels: 17, kernelSize: 3, padding: .explicit(1))
    let harness = WinogradHarness(problem, seed: 5) { generator in
      Float(Int.random(in: -40...40, using: &generator)) * 0x1p-7
    }
    let prepared = try harness.w.withUnsafeBufferPointer {
      try strategy.prepare(
        problem, .forward, weights: $0, epilogue: .init(), options: .init(instructionSet: instructionSet))
    }
    let y = try harness.run(prepared)
    for (found, expected) in zip(y, harness.exactForward()) { #expect(Double(found) == expected) }
  }

  @Test("The same bits for 1, 2 and 3 threads and for any blocking", arguments: tiles, instructionSets)
  func threads(tile: Int, instructionSet: InstructionSet) throws {
    let strategy = try #require(WinogradStrategy(outputTile: tile))
    let problem = try Conv2dProblem(
      batch: 3, inputChannels: 35, inputSize: Pair(23, 17), outputChannels: 50, kernelSize: 3, padding: .explicit(1))
    let harness = WinogradHarness(problem, seed: 9)
    for pass in [ConvolutionPass.forward, .backwardData] {
      var results: Set<[UInt32]> = []
      for threads in 1...3 {
        let options = ConvolutionOptions(threads: threads, instructionSet: instructionSet)
        // 16 channels are whole vectors of every instruction set; of 35 and of 50 the last are 3 and 2.
        let blockings: [(Int?, shares: Bool, transforms: Bool, channels: Int?)] = [
          (nil, false, false, nil), (1, false, false, nil), (5, true, false, nil), (13, false, false, nil),
          (29, true, false, nil), (11, true, true, nil), (1000, true, true, nil), (1000, true, true, 16),
          (1000, true, true, 32),
        ]
        for (blockTiles, sharesInput, transformsWeights, channels) in blockings {
          let prepared = try harness.w.withUnsafeBufferPointer {
            try strategy.prepare(
              problem, pass, weights: $0, epilogue: .init(), options: options, blockTiles: blockTiles,
              sharesInput: sharesInput, transformsWeights: transformsWeights, channels: channels)
          }
          results.insert(try harness.run(prepared).map(\.bitPattern))
          results.insert(try harness.run(prepared).map(\.bitPattern))
        }
      }
      #expect(results.count == 1)
    }
    var gradients: Set<[UInt32]> = []
    for threads in 1...3 {
      let options = ConvolutionOptions(threads: threads, instructionSet: instructionSet)
      for blockTiles in [nil, 1, 7, 1000] {
        let prepared = try strategy.prepareWeightGradient(problem, options: options, blockTiles: blockTiles)
        gradients.insert(try harness.run(prepared).map(\.bitPattern))
        gradients.insert(try harness.run(prepared).map(\.bitPattern))
      }
    }
    #expect(gradients.count == 1)
  }

  @Test("Every entry of G has its part in every pass", arguments: tiles, instructionSets)
  func filterMatrix(tile: Int, instructionSet: InstructionSet) throws {
    let matrices = try #require(WinogradMatrices.chosen(outputTile: tile))
    let problem = try Conv2dProblem(
      batch: 1, inputChannels: 3, inputSize: 9, outputChannels: 5, kernelSize: 3, padding: .explicit(1))
    let harness = WinogradHarness(problem, seed: 4)
    let options = ConvolutionOptions(instructionSet: instructionSet)
    func results(_ matrices: WinogradMatrices) throws -> [[Float]] {
      let strategy = WinogradStrategy(matrices: matrices)
      let passes = try [ConvolutionPass.forward, .backwardData].map { pass in
        try harness.run(
          try harness.w.withUnsafeBufferPointer {
            try strategy.prepare(problem, pass, weights: $0, epilogue: .init(), options: options)
          })
      }
      return passes + [try harness.run(try strategy.prepareWeightGradient(problem, options: options))]
    }
    let right = try results(matrices)
    for row in matrices.weightTransform.indices {
      for column in 0..<3 {
        var changed = matrices.weightTransform
        changed[row][column] = changed[row][column] + Rational(1, 4)
        let wrong = try results(matrices.replacing(weightTransform: changed))
        for (pass, (wrong, right)) in zip(["forward", "backward-data", "weight gradient"], zip(wrong, right)) {
          #expect(wrong != right, "\(pass): row \(row), column \(column)")
        }
      }
    }
  }

  @Test(
    "The epilogue scales, shifts, adds the residual and applies ReLU, in that order", arguments: tiles, instructionSets)
  func epilogue(tile: Int, instructionSet: InstructionSet) throws {
    let strategy = try #require(WinogradStrategy(outputTile: tile))
    let options = ConvolutionOptions(instructionSet: instructionSet)
    for channels in [3, 20] {
      let problem = try Conv2dProblem(
        batch: 2, inputChannels: 6, inputSize: Pair(7, 9), outputChannels: channels, kernelSize: 3)
      let harness = WinogradHarness(problem, seed: 3)
      let scale = (0..<channels).map { Float($0) * 0.25 - 1 }
      let residual = harness.dy
      func prepare(_ epilogue: ConvolutionEpilogue) throws -> any PreparedConvolution {
        try harness.w.withUnsafeBufferPointer {
          try strategy.prepare(problem, .forward, weights: $0, epilogue: epilogue, options: options)
        }
      }
      let plain = try harness.run(prepare(.init()))
      let full = try harness.run(
        prepare(.init(scale: scale, shift: harness.bias, addsResidual: true, relu: true)), residual: residual)
      let plane = problem.outputSize.height * problem.outputSize.width
      for (index, y) in plain.enumerated() {
        let k = index / plane % channels
        #expect(full[index] == max(y * scale[k] + harness.bias[k] + residual[index], 0))
      }
    }
  }

  @Test("Other weights of the same shape can be set, and stay until the next")
  func setWeights() throws {
    let strategy = try #require(WinogradStrategy(outputTile: 4))
    let problem = try Conv2dProblem(
      batch: 1, inputChannels: 4, inputSize: 8, outputChannels: 5, kernelSize: 3, padding: .explicit(1))
    let (first, second) = (WinogradHarness(problem, seed: 1), WinogradHarness(problem, seed: 2))
    let options = try ConvolutionOptions()
    let prepared = try first.w.withUnsafeBufferPointer {
      try strategy.prepare(problem, .forward, weights: $0, epilogue: .init(), options: options)
    }
    let fresh = try second.w.withUnsafeBufferPointer {
      try strategy.prepare(problem, .forward, weights: $0, epilogue: .init(), options: options)
    }
    let before = try second.run(prepared)
    try second.w.withUnsafeBufferPointer { try prepared.setWeights($0) }
    #expect(try second.run(prepared) == second.run(fresh))
    #expect(try second.run(prepared) != before)
  }

  @Test("Weights that stay are transformed where they are used, to the same bits", arguments: 1...3)
  func weightsStay(threads: Int) throws {
    let strategy = try #require(WinogradStrategy(outputTile: 4))
    // 9 MB of transformed weights: beyond any second-level cache.
    let problem = try Conv2dProblem(
      batch: 2, inputChannels: 256, inputSize: 7, outputChannels: 250, kernelSize: 3, padding: .explicit(1))
    let (first, second) = (WinogradHarness(problem, seed: 1), WinogradHarness(problem, seed: 2))
    for pass in [ConvolutionPass.forward, .backwardData] {
      var options = try ConvolutionOptions(threads: threads)
      let plain = try second.w.withUnsafeBufferPointer {
        try strategy.prepare(problem, pass, weights: $0, epilogue: .init(), options: options)
      }
      options.weightsStay = true
      try first.w.withUnsafeBufferPointer { weights in
        let staying = try strategy.prepare(problem, pass, weights: weights, epilogue: .init(), options: options)
        #expect(staying.weightBytes < plain.weightBytes)
        try second.w.withUnsafeBufferPointer { weights in
          try staying.setWeights(weights)
          #expect(try second.run(staying).map(\.bitPattern) == second.run(plain).map(\.bitPattern))
        }
      }
    }
  }

  @Test("What Winograd cannot do is refused with its reason; batch 0 is no error")
  func limits() throws {
    let options = try ConvolutionOptions()
    let strategy = try #require(WinogradStrategy(outputTile: 4))
    #expect(WinogradStrategy(outputTile: 3) == nil)
    let impossible = [
      try Conv2dProblem(batch: 1, inputChannels: 2, inputSize: 9, outputChannels: 2, kernelSize: 5),
      try Conv2dProblem(batch: 1, inputChannels: 2, inputSize: 9, outputChannels: 2, kernelSize: 3, stride: 2),
      try Conv2dProblem(batch: 1, inputChannels: 2, inputSize: 9, outputChannels: 2, kernelSize: 3, dilation: 2),
      try Conv2dProblem(batch: 1, inputChannels: 2, inputSize: 9, outputChannels: 2, kernelSize: 3, groups: 2),
    ]
    for problem in impossible {
      #expect(strategy.unsupportedReason(problem, .forward) != nil)
      #expect(WinogradBound(problem: problem, outputTile: 4) == nil)
      let harness = WinogradHarness(problem, seed: 0)
      #expect(throws: ConvolutionError.self) {
        try harness.w.withUnsafeBufferPointer {
          _ = try strategy.prepare(problem, .forward, weights: $0, epilogue: .init(), options: options)
        }
      }
    }
    let empty = try Conv2dProblem(batch: 0, inputChannels: 2, inputSize: 9, outputChannels: 2, kernelSize: 3)
    let harness = WinogradHarness(empty, seed: 0)
    let prepared = try harness.w.withUnsafeBufferPointer {
      try strategy.prepare(empty, .forward, weights: $0, epilogue: .init(), options: options)
    }
    #expect(try harness.run(prepared).isEmpty)
    let gradient = try strategy.prepareWeightGradient(empty, options: options)
    #expect(try harness.run(gradient) == Array(repeating: 0, count: 36))
    let short = [Float](repeating: 0, count: 3)
    #expect(throws: ConvolutionError.bufferMismatch(name: "weights", expected: 36, found: 3)) {
      try short.withUnsafeBufferPointer { try prepared.setWeights($0) }
    }
  }

  @Test("A weight gradient within range is right although its transformed tiles overflow", arguments: tiles)
  func hugeInput(tile: Int) throws {
    let problem = try Conv2dProblem(
      batch: 1, inputChannels: 3, inputSize: 6, outputChannels: 4, kernelSize: 3, padding: .explicit(1))
    func gradient(_ strategy: any ConvolutionStrategy) throws -> [Float] {
      let options = try ConvolutionOptions()
      let prepared = try strategy.prepareWeightGradient(problem, options: options)
      func blocked(_ layout: BlockedLayout, _ scale: Float) throws -> GuardedBuffer {
        let buffer = GuardedBuffer(layout.count, filledWith: 0)
        let dense = (0..<layout.denseCount).map { scale * (1 + Float($0 % 7) / 8) }
        try dense.withUnsafeBufferPointer {
          try LayoutConversion(layout, options: options).pack($0, into: buffer.mutable)
        }
        return buffer
      }
      let x = try blocked(prepared.inputLayout, 0x1p121)
      let dy = try blocked(prepared.outputGradientLayout, 1)
      let result = GuardedBuffer(problem.weightShape.count)
      try withExtendedLifetime((x, dy)) {
        try prepared.run(input: x.readable, outputGradient: dy.readable, weightGradient: result.mutable)
      }
      return result.values
    }
    let expected = try gradient(DirectStrategy())
    let found = try gradient(try #require(WinogradStrategy(outputTile: tile)))
    let largest = try #require(expected.max())
    #expect(largest.isFinite && largest > 0x1p124)
    // All terms have one sign: 36 of them, and a rounding for each, are far below 2^-12 of the sum.
    #expect(zip(expected, found).allSatisfy { abs($0 - $1) <= 0x1p-12 * largest })
  }
}
