import Convolution
import Foundation
import Problems
import Tensors
import Testing

/// Every strategy on random problems, on every instruction set that is looked at, against the definition in Double.
@Suite struct StrategyPropertyTests {
  static let strategies: [any ConvolutionStrategy] = [
    DirectStrategy(), Im2colStrategy(), Im2colStrategy(materialised: true), GemmStrategy(),
  ]
  static let seedsPerChunk = 50
  /// How many problems: `ASSAY_RANDOM_PROBLEMS`, or 2000.
  static let problems =
    ProcessInfo.processInfo.environment["ASSAY_RANDOM_PROBLEMS"].flatMap(Int.init).map { max(1, $0) } ?? 2000
  static let chunks = (problems + seedsPerChunk - 1) / seedsPerChunk
  /// How many of them with several threads: a sanitizer, for which there are few, slows these down most.
  static let threadedChunks = max(1, min(200, problems) / threadedPerChunk)
  static let threadedPerChunk = 10

  @Test("forward, backward-data and backward-weights of random problems", arguments: 0..<chunks)
  func randomProblems(chunk: Int) throws {
    for index in 0..<Self.seedsPerChunk {
      let seed = UInt64(chunk * Self.seedsPerChunk + index)
      guard seed < Self.problems else { return }
      let random = RandomConvolution(seed: seed)
      let oracle = ConvolutionOracle(random.problem, x: random.x, w: random.w, dy: random.dy)
      for instructionSet in InstructionSet.tested {
        for strategy in Self.strategies {
          for pass in ConvolutionPass.allCases where strategy.unsupportedReason(random.problem, pass) == nil {
            let failure = try StrategyRun(strategy, pass, instructionSet, random).check(oracle)
            #expect(
              failure == nil,
              "seed \(seed) \(strategy.name) \(pass.rawValue) \(instructionSet) \(random.problem): \(failure ?? "")")
            if failure != nil { return }
          }
        }
      }
    }
  }

  /// With one thread an image is a piece; with more its rows are cut, to single ones where there are few.
  @Test("from NCHW to NCHW piece by piece gives the bits of converted tensors", arguments: 0..<threadedChunks)
  func dense(chunk: Int) throws {
    for index in 0..<Self.threadedPerChunk {
      let random = RandomConvolution(seed: UInt64(2_000_000 + chunk * Self.threadedPerChunk + index))
      guard random.problem.groups == 1 else { continue }
      let channels = random.problem.outputChannels
      let epilogue = ConvolutionEpilogue(shift: (0..<channels).map { Float($0 % 7) - 3 }, relu: index % 2 == 0)
      for instructionSet in InstructionSet.tested {
        for threads in 1...3 {
          let options = ConvolutionOptions(threads: threads, instructionSet: instructionSet)
          let blocked = try random.w.withUnsafeBufferPointer {
            try DirectStrategy().prepare(
              random.problem, .forward, weights: $0, epilogue: epilogue, options: options)
          }
          let dense = try #require(try blocked.dense(.inPieces), "\(random.problem)")
          let expected = try Self.run(blocked, random.x, options).map(\.bitPattern)
          // The second run finds what the first one left in the workspace.
          for _ in 0..<2 {
            #expect(
              try Self.run(dense, random.x, options).map(\.bitPattern) == expected,
              "\(instructionSet), \(threads) threads, \(random.problem)")
          }
        }
      }
    }
  }

  /// Rows from one vector to several, whole and not, of as many channels as are few; and other weights later.
  @Test("from NCHW to NCHW with pixels in the lanes gives the bits of converted tensors", arguments: 0..<threadedChunks)
  func planar(chunk: Int) throws {
    var planar: [InstructionSet: Int] = [:]
    for index in 0..<Self.threadedPerChunk {
      let seed = UInt64(3_000_000 + chunk * Self.threadedPerChunk + index)
      let random = try RandomConvolution.fewChannels(seed: seed)
      let channels = random.problem.outputChannels
      let shift = (0..<channels).map { Float($0 % 7) - 3 }
      let epilogue = [
        ConvolutionEpilogue(), ConvolutionEpilogue(shift: shift, relu: true),
        ConvolutionEpilogue(scale: shift.map { 1 + $0 / 8 }, shift: shift),
      ][index % 3]
      for instructionSet in InstructionSet.tested {
        for threads in 1...2 {
          let options = ConvolutionOptions(threads: threads, instructionSet: instructionSet)
          let blocked = try random.w.withUnsafeBufferPointer {
            try DirectStrategy().prepare(
              random.problem, .forward, weights: $0, epilogue: epilogue, options: options)
          }
          guard let dense = try blocked.dense(.planar) else { continue }
          planar[instructionSet, default: 0] += 1
          // The later runs find what the first one left in the workspace.
          for weights in [nil, random.w.map { 1 - $0 }] {
            try weights?.withUnsafeBufferPointer { try dense.setWeights($0) }
            let expected = try Self.run(blocked, random.x, options).map(\.bitPattern)
            #expect(
              try Self.run(dense, random.x, options).map(\.bitPattern) == expected,
              "\(instructionSet), \(threads) threads, \(random.problem)")
          }
        }
      }
    }
    for instructionSet in InstructionSet.tested {
      #expect(planar[instructionSet, default: 0] > 2, "\(instructionSet): too few problems that can be so computed")
    }
  }

  /// Which way a convolution from NCHW to NCHW takes.
  @Test("a network's first layer has pixels in the lanes; what has many channels, or short rows, does not")
  func planarProblems() throws {
    func has(_ problem: Conv2dProblem) throws -> Bool {
      let weights = [Float](repeating: 1, count: problem.weightShape.count)
      let prepared = try weights.withUnsafeBufferPointer {
        try DirectStrategy().prepare(
          problem, .forward, weights: $0, epilogue: .init(),
          options: ConvolutionOptions(instructionSet: InstructionSet.selected()))
      }
      return try prepared.dense(.planar) != nil
    }
    func problem(_ channels: Int, _ size: Pair, groups: Int = 1) throws -> Conv2dProblem {
      try Conv2dProblem(
        batch: 1, inputChannels: channels, inputSize: size, outputChannels: 64, kernelSize: 7, stride: 2,
        padding: .explicit(3), groups: groups)
    }
    #expect(try has(problem(3, 224)))
    #expect(try !has(problem(64, 224)))
    #expect(try !has(problem(2, 224, groups: 2)))
    #expect(try !has(problem(3, Pair(224, 6))))
  }

  /// A run from and to NCHW.
  private static func run(
    _ prepared: any PreparedConvolution, _ x: [Float], _ options: ConvolutionOptions
  ) throws -> [Float] {
    let input = try AlignedBuffer(zeros: prepared.inputLayout.count, name: "x")
    let output = try AlignedBuffer(zeros: prepared.outputLayout.count, name: "y")
    // What is left out is no zero of a ReLU.
    output.buffer.update(repeating: .nan)
    try x.withUnsafeBufferPointer {
      try LayoutConversion(prepared.inputLayout, options: options).pack($0, into: input.buffer)
    }
    try prepared.run(input: UnsafeBufferPointer(input.buffer), output: output.buffer, residual: nil)
    var y = [Float](repeating: 0, count: prepared.outputLayout.denseCount)
    try y.withUnsafeMutableBufferPointer {
      try LayoutConversion(prepared.outputLayout, options: options).unpack(
        UnsafeBufferPointer(output.buffer), into: $0)
    }
    return y
  }

  @Test("one, two and three threads give the same bits", arguments: 0..<threadedChunks)
  func threads(chunk: Int) throws {
    for index in 0..<Self.threadedPerChunk {
      let seed = UInt64(1_000_000 + chunk * Self.threadedPerChunk + index)
      let random = RandomConvolution(seed: seed, maximumWork: 400_000)
      for instructionSet in InstructionSet.tested {
        for strategy in Self.strategies {
          for pass in ConvolutionPass.allCases where strategy.unsupportedReason(random.problem, pass) == nil {
            let results = try [1, 2, 3].map {
              try StrategyRun(strategy, pass, instructionSet, random, threads: $0).result().map(\.bitPattern)
            }
            #expect(
              results[0] == results[1] && results[0] == results[2],
              "\(strategy.name) \(pass.rawValue) \(instructionSet) \(random.problem)")
          }
        }
      }
    }
  }

  /// Sums of several panels of weights; of stride 2, whose way back has pixels that no tap reaches.
  @Test(
    "an output may replace its residual", arguments: [1, 3],
    [(ConvolutionPass.forward, 1), (.backwardData, 1), (.backwardData, 2)])
  func outputInPlace(kernel: Int, way: (pass: ConvolutionPass, stride: Int)) throws {
    let problem = try Conv2dProblem(
      batch: 1, inputChannels: way.pass == .forward ? 576 : 40, inputSize: 5,
      outputChannels: way.pass == .forward ? 40 : 576, kernelSize: Pair(kernel), stride: Pair(way.stride),
      padding: .explicit(Pair(kernel / 2)))
    // Integers, so that sums are exact in any order.
    let weights = (0..<problem.weightShape.count).map { Float($0 % 7) - 3 }
    let epilogues = [
      ConvolutionEpilogue(scale: .init(repeating: 2, count: 40), addsResidual: true),
      ConvolutionEpilogue(addsResidual: true),
      ConvolutionEpilogue(shift: .init(repeating: -3, count: 40), addsResidual: true, relu: true),
    ]
    for instructionSet in InstructionSet.tested {
      let options = ConvolutionOptions(instructionSet: instructionSet)
      for strategy in Self.strategies + WinogradStrategy.all
      where strategy.unsupportedReason(problem, way.pass) == nil {
        for epilogue in epilogues {
          let prepared = try weights.withUnsafeBufferPointer {
            try strategy.prepare(problem, way.pass, weights: $0, epilogue: epilogue, options: options)
          }
          let x = GuardedBuffer(prepared.inputLayout.count, filledWith: 0)
          let dense = (0..<prepared.inputLayout.denseCount).map { Float($0 % 5) - 2 }
          try dense.withUnsafeBufferPointer {
            try LayoutConversion(prepared.inputLayout, options: options).pack($0, into: x.mutable)
          }
          let residual = (0..<prepared.outputLayout.count).map { Float($0 % 11) }
          let (apart, replaced) = (GuardedBuffer(residual), GuardedBuffer(residual))
          try residual.withUnsafeBufferPointer {
            try prepared.run(input: x.readable, output: apart.mutable, residual: $0)
          }
          try prepared.run(input: x.readable, output: replaced.mutable, residual: replaced.readable)
          let name = "\(strategy.name) \(instructionSet) \(epilogue)"
          #expect(apart.bits == replaced.bits, "\(name)")
          #expect(replaced.bits != residual.map(\.bitPattern), "\(name)")
        }
      }
    }
  }
}
