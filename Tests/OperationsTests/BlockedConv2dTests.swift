import Operations
import Problems
import Tensors
import Testing

/// The oracle's blocked convolutions against the plain loops that one can read beside the paper, which are their judge.
///
/// Two sums of the same K rounded products in two orders are each within γ_K·Σ|t| of the exact one, so that they may differ by twice
/// that. On small integers no sum is rounded in either.
@Suite struct BlockedConv2dTests {
  /// Batch 0, either axis its own, groups, depthwise, channels beyond a tile, more columns and terms than a block holds.
  static let texts = [
    "conv2d n0c3h5w6 k4r3s3 bias stride1 pad1",
    "conv2d n2c9h7w6 k17r3s2 bias stride2x1 pad1x0",
    "conv2d n1c4h11w10 k6r3s2 stride3x2 pad2x4 dilation2x3 groups2",
    "conv2d n2c5h4w5 k10r2s3 stride1 padsame groups5",
    "conv2d n1c2h3w3 k3r3s3 stride1 pad3",
    "conv2d n1c2h9w8 k3r1s1 stride4 pad2",
    "conv2d n1c2h12w5 k3r2s1 stride1 pad0 dilation11x1",
    "conv2d n3c2h13w17 k3r1s1 bias stride1 pad0",
    "conv2d n1c40h6w7 k9r3s3 stride1 pad1",
    "conv2d n5c1h13w13 k1r3s3 stride1 pad1",
  ]

  @Test(arguments: texts, OracleLoops.available)
  func `named problems agree, by every compilation of the loop`(text: String, loops: OracleLoops) throws {
    let problem = try #require(try Problem.parse(text) as? Conv2dProblem)
    for isInteger in [true, false] { try compare(problem, seed: 1, isInteger: isInteger, loops: loops) }
  }

  @Test(arguments: 0..<8) func `random problems agree`(lane: Int) throws {
    let draw = try #require(Conv2d.problemDraw.value)
    var seeds = SplitMix64(seed: UInt64(lane))
    for number in 0..<Self.problems / 8 {
      // Most are small, since it is offsets that may be wrong; some have sums and rows beyond a block.
      let seed = seeds.next()
      let drawn = draw.problem(seed: seed, within: number % 25 == 0 ? .large : .small)
      let problem = try #require(drawn.problem as? Conv2dProblem)
      try compare(problem, seed: seed, isInteger: number % 2 == 0, loops: loops(number))
    }
  }

  private static let problems = 10_400

  private func loops(_ number: Int) -> OracleLoops {
    let available = OracleLoops.available
    return available[number / 2 % available.count]
  }

  private func compare(_ problem: Conv2dProblem, seed: UInt64, isInteger: Bool, loops: OracleLoops) throws {
    func tensor(_ shape: Shape, _ number: UInt64) -> Tensor<Double> {
      let values = uniform(shape, seed: seed &+ number)
      return isInteger ? values.map { (8 * $0).rounded() } : values
    }
    let (x, weight) = (tensor(problem.inputShape, 1), tensor(problem.weightShape, 2))
    let dy = tensor(problem.outputShape, 3)
    let bias = problem.hasBias ? tensor(Shape(problem.outputChannels), 4) : nil
    let (plain, blocked) = (Conv2d(problem), BlockedConv2d(problem, threads: Int(seed % 3) + 1, loops: loops))
    func magnitude(_ tensor: Tensor<Double>) -> Tensor<Double> { tensor.map(abs) }
    let taps = problem.kernelSize.height * problem.kernelSize.width
    let planes = problem.batch * problem.outputSize.height * problem.outputSize.width
    for (name, found, expected, magnitudes, terms) in [
      (
        "y", try blocked.forward(x, weight: weight, bias: bias), try plain.forward(x, weight: weight, bias: bias),
        try plain.forward(magnitude(x), weight: magnitude(weight), bias: bias.map(magnitude)),
        problem.inputChannels / problem.groups * taps + 1
      ),
      (
        "dx", try blocked.backwardInput(dy, weight: weight), try plain.backwardInput(dy, weight: weight),
        try plain.backwardInput(magnitude(dy), weight: magnitude(weight)),
        problem.outputChannels / problem.groups * taps
      ),
      (
        "dw", try blocked.backwardWeight(dy, x: x), try plain.backwardWeight(dy, x: x),
        try plain.backwardWeight(magnitude(dy), x: magnitude(x)), planes
      ),
    ] {
      #expect(found.shape == expected.shape)
      let gamma = isInteger ? 0 : 2 * Rounding.float64.gamma(terms)
      let wrong = expected.elements.indices.first {
        !(abs(found.elements[$0] - expected.elements[$0]) <= gamma * magnitudes.elements[$0])
      }
      #expect(wrong == nil, "\(name) of \(problem.text), seed \(seed), \(loops), at \(wrong ?? 0)")
    }
  }

  @Test func `every compilation of the loop gives the same bits`() throws {
    let problem = try #require(try Problem.parse("conv2d n2c37h9w11 k19r3s3 bias stride1 pad1") as? Conv2dProblem)
    let (x, weight) = (uniform(problem.inputShape, seed: 1), uniform(problem.weightShape, seed: 2))
    let bias = uniform([19], seed: 3)
    let plain = try Conv2d(problem).forward(x, weight: weight, bias: bias)
    for loops in OracleLoops.available {
      for threads in 1...3 {
        let blocked = BlockedConv2d(problem, threads: threads, loops: loops)
        // Terms are added in the order of the plain loops.
        #expect(try blocked.forward(x, weight: weight, bias: bias).elements == plain.elements, "\(loops)")
      }
    }
  }

  /// Padding is zeros that take part, and beyond the border of y is nothing.
  @Test(arguments: ["x", "weight", "dy"], [Double.infinity, .nan])
  func `what is not finite follows the definition`(operand: String, value: Double) throws {
    let problem = try #require(try Problem.parse("conv2d n2c3h5w6 k4r3s3 stride2 pad1") as? Conv2dProblem)
    func tensor(_ name: String, _ shape: Shape) -> Tensor<Double> {
      var values = uniform(shape, seed: 5)
      if name == operand { for i in [0, shape.count / 2, shape.count - 1] { values.elements[i] = value } }
      return values
    }
    let (x, weight) = (tensor("x", problem.inputShape), tensor("weight", problem.weightShape))
    let dy = tensor("dy", problem.outputShape)
    let (plain, blocked) = (Conv2d(problem), BlockedConv2d(problem))
    for (found, expected) in [
      (
        try blocked.forward(x, weight: weight, bias: nil), try plain.forward(x, weight: weight)
      ),
      (try blocked.backwardInput(dy, weight: weight), try plain.backwardInput(dy, weight: weight)),
      (try blocked.backwardWeight(dy, x: x), try plain.backwardWeight(dy, x: x)),
    ] {
      #expect(found.elements.map(Kind.init) == expected.elements.map(Kind.init))
    }
  }

  /// Which of IEEE 754's values it is, as far as no rounding changes it.
  private enum Kind: Equatable {
    case finite, nan
    case infinite(FloatingPointSign)

    init(_ value: Double) { self = value.isNaN ? .nan : value.isInfinite ? .infinite(value.sign) : .finite }
  }

  @Test func `operands that do not fit are refused`() throws {
    let problem = try #require(try Problem.parse("conv2d n1c2h4w4 k3r3s3 bias stride1 pad1") as? Conv2dProblem)
    let blocked = BlockedConv2d(problem)
    let (x, weight) = (Tensor<Double>(zeros: problem.inputShape), Tensor<Double>(zeros: problem.weightShape))
    #expect(throws: ProblemError.self) { try blocked.forward(weight, weight: weight, bias: nil) }
    #expect(throws: ProblemError.self) { try blocked.forward(x, weight: weight, bias: nil) }
    #expect(throws: ProblemError.self) { try blocked.backwardInput(x, weight: weight) }
    #expect(throws: ProblemError.self) { try blocked.backwardWeight(x, x: x) }
  }
}

/// In [−1, 1], of all of a double's bits.
private func uniform(_ shape: Shape, seed: UInt64) -> Tensor<Double> {
  Tensor(splitMix64Uniform: shape, seed: seed, low: -3, high: 3).map { Double($0) / 3 }
}
