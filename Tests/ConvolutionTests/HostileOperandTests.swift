import Convolution
import Operations
import Problems
import Tensors
import Testing

/// Every strategy on operands whose transforms overflow, and on infinities and NaN: what PyTorch gives, on every instruction set.
@Suite struct HostileOperandTests {
  static let strategies = StrategyPropertyTests.strategies + WinogradStrategy.all

  /// Half of the problems are of the kind that Winograd does.
  private static func problem(_ seed: UInt64) throws -> Conv2dProblem {
    try seed % 2 == 0 ? WinogradTests.randomProblem(seed) : RandomConvolution(seed: seed, maximumWork: 60_000).problem
  }

  private static func check(_ random: RandomConvolution, passes: [ConvolutionPass] = ConvolutionPass.allCases) throws {
    let oracle = ConvolutionOracle(random.problem, x: random.x, w: random.w, dy: random.dy)
    for instructionSet in InstructionSet.available {
      for strategy in strategies {
        for pass in passes where strategy.unsupportedReason(random.problem, pass) == nil {
          let failure = try StrategyRun(strategy, pass, instructionSet, random).check(oracle)
          #expect(
            failure == nil,
            "seed \(random.seed) \(strategy.name) \(pass.rawValue) \(instructionSet) \(random.problem): \(failure ?? "")"
          )
        }
      }
    }
  }

  @Test("finite results of huge operands are found, whichever operand is huge", arguments: UInt64(0)..<40)
  func huge(seed: UInt64) throws {
    let problem = try Self.problem(seed)
    let area = problem.kernelSize.height * problem.kernelSize.width
    let outputs = problem.batch * problem.outputSize.height * problem.outputSize.width
    // The power of two that keeps a sum of so many products below 1 where one factor is at most 1.
    func small(_ terms: Int) -> Float {
      Float(sign: .plus, exponent: terms.leadingZeroBitCount - Int.bitWidth, significand: 1)
    }
    let terms = [
      ConvolutionPass.forward: problem.inputChannels / problem.groups * area,
      .backwardData: problem.outputChannels / problem.groups * area, .backwardWeights: outputs,
    ]
    for (pass, count) in terms {
      for (first, second) in [(Float(0x1p126), small(count)), (small(count), Float(0x1p126))] {
        let random = RandomConvolution(problem, seed: seed) { operand in
          switch (pass, operand) {
          case (.forward, .x), (.backwardData, .dy), (.backwardWeights, .x): first
          case (.forward, .w), (.backwardData, .w), (.backwardWeights, .dy): second
          default: 1
          }
        }
        try Self.check(random, passes: [pass])
      }
    }
  }

  @Test("infinities and NaN reach the elements that the definition says", arguments: UInt64(0)..<60)
  func nonFinite(seed: UInt64) throws {
    let problem = try Self.problem(seed)
    for operand in RandomConvolution.Operand.allCases {
      let random = RandomConvolution(problem, seed: seed).replacing(operand, with: [.infinity, -.infinity, .nan])
      try Self.check(random)
    }
  }

  /// What PyTorch 2.15 gives, element by element: the first row and column of y read the padding above and left with the
  /// first tap.
  @Test("padding is zeros that take part, beyond the border of dy is nothing")
  func padding() throws {
    let problem = try Conv2dProblem(
      batch: 1, inputChannels: 2, inputSize: 3, outputChannels: 17, kernelSize: 3, padding: .explicit(1))
    var weights = [Float](repeating: 1, count: problem.weightShape.count)
    for k in 0..<17 { weights[k * 18] = .infinity }
    for instructionSet in InstructionSet.available {
      let options = ConvolutionOptions(instructionSet: instructionSet)
      for strategy in Self.strategies where strategy.unsupportedReason(problem, .forward) == nil {
        let x = [Float](repeating: 1, count: problem.inputShape.count)
        let y = try StrategyRun.nchw(strategy, problem, .forward, weights, x, options: options)
        for (index, value) in y.enumerated() {
          let meetsPadding = index / 3 % 3 == 0 || index % 3 == 0
          #expect(meetsPadding ? value.isNaN : value == .infinity, "\(strategy.name) \(instructionSet) y[\(index)]")
        }
        let dy = [Float](repeating: 1, count: problem.outputShape.count)
        let dx = try StrategyRun.nchw(strategy, problem, .backwardData, weights, dy, options: options)
        for (index, value) in dx.enumerated() {
          // Channel 0 has the infinite tap, which the last row and column of x never met.
          let (row, column) = (index / 3 % 3, index % 3)
          let terms = Float(17 * (row == 1 ? 3 : 2) * (column == 1 ? 3 : 2))
          let isInfinite = index < 9 && row < 2 && column < 2
          #expect(value == (isInfinite ? .infinity : terms), "\(strategy.name) \(instructionSet) dx[\(index)]")
        }
      }
    }
  }

  @Test(
    "a tile that overflows keeps its epilogue and its residual", arguments: WinogradTests.tiles,
    InstructionSet.available)
  func epilogue(tile: Int, instructionSet: InstructionSet) throws {
    let strategy = try #require(WinogradStrategy(outputTile: tile))
    let problem = try Conv2dProblem(
      batch: 2, inputChannels: 5, inputSize: Pair(13, 14), outputChannels: 20, kernelSize: 3, padding: .explicit(1))
    // One image's corner is huge; the tiles beside it are not.
    var x = (0..<problem.inputShape.count).map { Float($0 % 9) - 4 }
    for row in 0..<3 { for column in 0..<3 { x[row * 14 + column] = (row + column) % 2 == 0 ? 0x1p127 : -0x1p127 } }
    let weights = (0..<problem.weightShape.count).map { (Float($0 % 5) - 2) * 0x1p-7 }
    let epilogue = ConvolutionEpilogue(
      scale: .init(repeating: 0.5, count: 20), shift: .init(repeating: -1, count: 20), addsResidual: true, relu: true)
    let options = ConvolutionOptions(instructionSet: instructionSet)
    func run(_ strategy: any ConvolutionStrategy) throws -> [Float] {
      let prepared = try weights.withUnsafeBufferPointer {
        try strategy.prepare(problem, .forward, weights: $0, epilogue: epilogue, options: options)
      }
      let input = GuardedBuffer(prepared.inputLayout.count, filledWith: 0)
      try x.withUnsafeBufferPointer {
        try LayoutConversion(prepared.inputLayout, options: options).pack($0, into: input.mutable)
      }
      // The output replaces its residual, so that a tile that was written twice would add it twice.
      let output = GuardedBuffer(prepared.outputLayout.count, filledWith: 0)
      let residual = (0..<problem.outputShape.count).map { Float(1 + $0 % 7) * 0x1p100 }
      try residual.withUnsafeBufferPointer {
        try LayoutConversion(prepared.outputLayout, options: options).pack($0, into: output.mutable)
      }
      try prepared.run(input: input.readable, output: output.mutable, residual: output.readable)
      let result = GuardedBuffer(problem.outputShape.count)
      try LayoutConversion(prepared.outputLayout, options: options).unpack(output.readable, into: result.mutable)
      return result.values
    }
    let (found, expected) = (try run(strategy), try run(DirectStrategy()))
    let largest = try #require(expected.max())
    #expect(largest.isFinite && largest > 0x1p118)
    // Where the huge corner is not seen, sums are far below the residual's last bit, and the results equal.
    for (index, (found, expected)) in zip(found, expected).enumerated() {
      #expect(found == expected || abs(found - expected) <= 0x1p-14 * largest, "element \(index)")
      if index / (13 * 14 * 20) == 1 { #expect(found == expected, "element \(index)") }
    }
  }
}

extension RandomConvolution {
  enum Operand: CaseIterable { case x, w, dy }

  /// Random operands in [−1, 1) of a given problem, each times a scale.
  init(_ problem: Conv2dProblem, seed: UInt64, scale: (Operand) -> Float = { _ in 1 }) {
    var generator = SplitMix64(seed: seed ^ 0xbad)
    func fill(_ count: Int, _ scale: Float) -> [Float] {
      (0..<count).map { _ in scale * Float.random(in: -1..<1, using: &generator) }
    }
    self.init(
      seed: seed, problem: problem, x: fill(problem.inputShape.count, scale(.x)),
      w: fill(problem.weightShape.count, scale(.w)), dy: fill(problem.outputShape.count, scale(.dy)))
  }

  /// One element in twenty, and at least one, replaced by one of `values`.
  func replacing(_ operand: Operand, with values: [Float]) -> RandomConvolution {
    var generator = SplitMix64(seed: seed ^ 0xdead)
    func replaced(_ elements: [Float], _ isMeant: Bool) -> [Float] {
      guard isMeant, !elements.isEmpty else { return elements }
      var elements = elements
      for _ in 0...elements.count / 20 {
        elements[Int.random(in: 0..<elements.count, using: &generator)] =
          values[Int.random(in: 0..<values.count, using: &generator)]
      }
      return elements
    }
    return RandomConvolution(
      seed: seed, problem: problem, x: replaced(x, operand == .x), w: replaced(w, operand == .w),
      dy: replaced(dy, operand == .dy))
  }
}
