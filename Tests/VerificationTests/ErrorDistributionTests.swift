import Engines
import Foundation
import GoldenFiles
import Operations
import Problems
import Results
import Tensors
import Testing
import Verification

/// What an element's bound cannot see: whether the errors of a tensor are as large, and as even, as rounding makes them.
@Suite struct ErrorDistributionTests {
  // MARK: Errors that are drawn

  /// Normal numbers, by Box and Muller.
  private static func normal(_ count: Int, seed: UInt64) -> [Double] {
    var stream = SplitMix64(seed: seed)
    func uniform() -> Double { (Double(stream.next() >> 11) + 0.5) * 0x1p-53 }
    return (0..<count).map { _ in (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
  }

  /// What is said of these errors, in standard deviations, of values of either sign.
  private func judge(_ errors: [Double], _ spread: ErrorSpread = .init(meanSquare: 1)) -> ErrorDistributionRecord? {
    let values = errors.indices.map { $0 % 3 == 0 ? -1.0 : 1.0 }
    let bound = 0x1p-20
    let deviation = bound / ElementBounds.lambda
    let distribution = ErrorDistribution(
      own: Array(repeating: bound, count: errors.count), oracle: Array(repeating: 0, count: errors.count),
      storage: nil, values: [], spread: spread, rounding: .float32)
    return distribution.judge(
      zip(values, errors).map { $0 + $1 * deviation }, values, at: Array(errors.indices))
  }

  @Test func `errors of the variance that is assumed pass, whatever the seed`() throws {
    for seed in 0..<50 {
      let record = try #require(judge(Self.normal(2_000, seed: UInt64(seed))))
      #expect(record.passes && record.problem == nil, "seed \(seed): \(record)")
      #expect(abs(record.meanSquare - 1) < 0.2 && record.independent == 2_000)
    }
  }

  @Test func `errors that are larger on the whole fail, though each is within its bound`() throws {
    let errors = Self.normal(4_000, seed: 1).map { 1.2 * $0 }
    #expect(errors.allSatisfy { abs($0) < ElementBounds.lambda })
    let record = try #require(judge(errors))
    #expect(!record.passes)
    #expect(record.problem?.hasPrefix("the errors are too large on the whole: mean z² 1.4") == true, "\(record)")
  }

  @Test func `errors that lean to one side fail, though they are small`() throws {
    let plain = try #require(judge(Self.normal(4_000, seed: 2).map { 0.2 * $0 + 0.05 }))
    #expect(plain.problem?.hasPrefix("the errors lean to one side: mean z 0.05") == true, "\(plain)")
    // Towards zero: against the sign of the value.
    let drawn = Self.normal(4_000, seed: 3)
    let signed = try #require(judge(drawn.indices.map { 0.2 * drawn[$0] + ($0 % 3 == 0 ? 0.05 : -0.05) }))
    #expect(signed.problem?.hasPrefix("the results are too small on the whole: mean z·sign(y) -0.0") == true)
  }

  @Test func `errors that a group has in common count once a group`() throws {
    // 64 rows of 64: one error a row.
    let rows = Self.normal(64, seed: 4)
    let errors = (0..<4_096).map { rows[$0 / 64] }
    let alike = ErrorSpread(meanSquare: 1, common: 1, sharing: .runs(of: 64, groups: 64))
    let grouped = try #require(judge(errors, alike))
    #expect(grouped.passes && abs(grouped.independent - 64) < 1e-9)
    let columns = ErrorSpread(meanSquare: 1, common: 1, sharing: .runs(of: 1, groups: 64))
    #expect(try #require(judge((0..<4_096).map { rows[$0 % 64] }, columns)).independent == grouped.independent)
  }

  /// 4 outputs of 20,000 rows, all operands positive: the reference adds the bias last, and leaves the same bits of it out in most
  /// elements of an output.
  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func `a bias that is added last may lean, and sums that are cut off may not`(seed: UInt64) throws {
    let problem = try Problem.parse("linear n20000c9 k4")
    let random = RandomExercise(problem: problem, roles: problem.definition.roles, fill: .random, seed: seed)
    var exercise = random.exercise
    exercise.passes = [.forward]
    exercise.upstream = [:]
    exercise.inputs = exercise.inputs.mapValues(Self.magnitudes)
    exercise.parameters = exercise.parameters.mapValues(Self.magnitudes)
    let expected = try ReferenceEngine().compute(exercise.converted(to: .float64))
    let verifier = CaseVerifier(
      VerificationCase(
        file: "drawn", oracle: .float64, golden: GoldenCase(exercise, fill: .random, expected: expected)))
    func result(_ engine: some Engine) throws -> TensorResult {
      try #require(verifier.verify(engine, dtype: .float32, threads: [1], repeating: false).tensors.first)
    }
    let honest = try result(ReferenceEngine())
    #expect(honest.passes && honest.distribution != nil, "seed \(seed): \(honest)")
    let cutOff = try result(WrongEngine(isBuiltIn: true, passes: [.forward], change: Kernel.cutOff.change))
    #expect(cutOff.distribution?.passes == false, "seed \(seed): \(cutOff)")
  }

  private static func magnitudes(_ tensor: AnyTensor) -> AnyTensor { .float64(tensor.doubles.map { abs($0) }) }

  @Test func `few elements, and those without a deviation, say nothing`() throws {
    #expect(judge(Self.normal(ErrorDistribution.leastElements - 1, seed: 5)) == nil)
    var errors = Self.normal(ErrorDistribution.leastElements + 2, seed: 6)
    errors[0] = .infinity
    errors[1] = .nan
    #expect(try #require(judge(errors)).elements == ErrorDistribution.leastElements)
    errors[2] = .nan
    #expect(judge(errors) == nil)
  }

  // MARK: Kernels

  /// Terms of a sum: a 3×3 filter's, a few channels', and those of the deepest layers.
  static let lengths = [9, 64, 576, 4_608]

  @Test(arguments: Kernel.honest, lengths) func `honest orders of summation pass`(_ kernel: Kernel, terms: Int) throws {
    let result = try kernel.result(terms: terms)
    let record = try #require(result.distribution)
    #expect(result.passes && record.elements == 2_048, "\(kernel), K = \(terms): \(result)")
  }

  @Test(arguments: Kernel.dishonest, lengths) func `what rounds otherwise fails at every length`(
    _ kernel: Kernel, terms: Int
  ) throws {
    let result = try kernel.result(terms: terms)
    #expect(try #require(result.distribution).problem != nil, "\(kernel), K = \(terms): \(result)")
    #expect(!result.passes)
  }

  @Test(arguments: Kernel.dishonest) func `and is within every element's bound at some`(_ kernel: Kernel) throws {
    let unseen = try Self.lengths.filter { try kernel.result(terms: $0).failing == 0 }
    #expect(!unseen.isEmpty, "\(kernel) is seen at every length without it")
  }
}

/// A way to compute a linear layer's y without a bias.
struct Kernel: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let change: @Sendable (_ exercise: Exercise, _ answer: inout Answer) throws -> Void

  private init(_ name: String, _ change: @escaping @Sendable (Exercise, inout Answer) throws -> Void) {
    testDescription = name
    self.change = change
  }

  /// What is said of it over 2048 sums of so many terms.
  func result(terms: Int) throws -> TensorResult {
    let problem = try Problem.parse("linear n64c\(terms) k32 nobias")
    let random = RandomExercise(problem: problem, roles: problem.definition.roles, fill: .random, seed: 7)
    var exercise = random.exercise
    exercise.passes = [.forward]
    exercise.upstream = [:]
    let expected = try ReferenceEngine().compute(exercise.converted(to: .float64))
    let verifier = CaseVerifier(
      VerificationCase(
        file: "drawn", oracle: .float64, golden: GoldenCase(exercise, fill: .random, expected: expected)))
    let engine = WrongEngine(isBuiltIn: true, passes: [.forward], change: change)
    return try #require(verifier.verify(engine, dtype: .float32, threads: [1]).tensors.first)
  }

  /// Sums of products in an order of their own.
  private static func summing(_ name: String, _ sum: @escaping @Sendable ([Float], [Float]) -> Float) -> Kernel {
    Kernel(name) { exercise, answer in
      guard let x = exercise.inputs["x"]?.doubles, let weight = exercise.parameters["weight"]?.doubles else { return }
      let terms = x.shape[1]
      func rows(_ tensor: Tensor<Double>) -> [[Float]] {
        stride(from: 0, to: tensor.count, by: terms).map { tensor.elements[$0..<$0 + terms].map { Float($0) } }
      }
      let (left, right) = (rows(x), rows(weight))
      answer.outputs["y"] = .float32(
        Tensor(shape: [left.count, right.count], elements: left.flatMap { row in right.map { sum(row, $0) } }))
    }
  }

  private static func split(_ name: String, bits: Int, terms: Int) -> Kernel {
    Kernel(name) { exercise, answer in
      let y = try exercise.forward(bits: bits, terms: terms) { (part) throws(EngineError) in
        try ReferenceEngine().compute(part)
      }
      if let y { answer.outputs.edit("y") { $0 = y } }
    }
  }

  private static func pairwise(_ values: ArraySlice<Float>) -> Float {
    guard values.count > 1 else { return values.first ?? 0 }
    let middle = values.startIndex + values.count / 2
    return pairwise(values[..<middle]) + pairwise(values[middle...])
  }

  static let honest: [Kernel] = [
    summing("one accumulator") { zip($0, $1).reduce(0) { $0 + $1.0 * $1.1 } },
    summing("one accumulator, from the last term") { zip($0, $1).reversed().reduce(0) { $0 + $1.0 * $1.1 } },
    summing("one accumulator, fused") { zip($0, $1).reduce(0) { $0.addingProduct($1.0, $1.1) } },
    summing("sixteen accumulators") { left, right in
      var lanes = [Float](repeating: 0, count: 16)
      for (i, (a, b)) in zip(left, right).enumerated() { lanes[i % 16] += a * b }
      return lanes.reduce(0, +)
    },
    summing("pairs") { pairwise(zip($0, $1).map { $0 * $1 }[...]) },
    split("three terms of bfloat16", bits: 8, terms: 3),
    split("two terms of TF32", bits: 11, terms: 2),
  ]

  static let dishonest: [Kernel] = [
    cutOff, split("two terms of bfloat16", bits: 8, terms: 2),
  ]

  static let cutOff = Kernel("sums cut off") { exercise, answer in
    guard let wrong = try exercise.computed(CutOff.self)?.outputs["y"] else { return }
    answer.outputs["y"] = wrong
  }
}
