import Problems
import Tensors

/// A random convolution problem with its operands, determined by its seed.
struct RandomConvolution {
  let seed: UInt64
  let problem: Conv2dProblem
  let x: [Float]
  let w: [Float]
  let dy: [Float]
  /// Operands are small integers: every order of summation is exact.
  let isExact: Bool

  /// Operands of which not every order of summation is exact.
  init(seed: UInt64, problem: Conv2dProblem, x: [Float], w: [Float], dy: [Float]) {
    (self.seed, self.problem, self.x, self.w, self.dy, isExact) = (seed, problem, x, w, dy, false)
  }

  init(seed: UInt64, maximumWork: Int = 150_000) {
    self.seed = seed
    var generator = SplitMix64(seed: seed)
    var found: Conv2dProblem?
    while found == nil {
      found = Self.problem(&generator).flatMap { $0.multiplyAccumulates <= maximumWork ? $0 : nil }
    }
    let problem = found!
    self.problem = problem
    isExact = Bool.random(using: &generator)
    let exact = isExact
    func fill(_ count: Int) -> [Float] {
      (0..<count).map { _ in
        exact ? Float(Int.random(in: -8...8, using: &generator)) : Float.random(in: -1..<1, using: &generator)
      }
    }
    x = fill(problem.inputShape.count)
    w = fill(problem.weightShape.count)
    dy = fill(problem.outputShape.count)
  }

  /// A problem of few channels with rows of one vector and more, as a network's first layer has.
  static func fewChannels(seed: UInt64) throws -> RandomConvolution {
    var generator = SplitMix64(seed: seed)
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    func fill(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1..<1, using: &generator) } }
    let (channels, kernel, stride, dilation) = (draw(1...4), draw(1...7), Pair(draw(1...2), draw(1...3)), draw(1...2))
    let width = [16, 17, 24, 28, 31, 32, 33, 40, 48, 56, 64][draw(0...10)]
    let padding = draw(0...3)
    // So that an output row is about as wide as drawn.
    let inputWidth = max(
      dilation * (kernel - 1) + 1, (width - 1) * stride.width + dilation * (kernel - 1) + 1 - 2 * padding)
    let problem = try Conv2dProblem(
      batch: draw(1...2), inputChannels: channels, inputSize: Pair(dilation * (kernel - 1) + draw(1...6), inputWidth),
      outputChannels: draw(1...40), kernelSize: Pair(kernel), stride: stride, padding: .explicit(Pair(padding)),
      dilation: Pair(dilation))
    return RandomConvolution(
      seed: seed, problem: problem, x: fill(problem.inputShape.count), w: fill(problem.weightShape.count), dy: [])
  }

  private static func problem(_ generator: inout SplitMix64) -> Conv2dProblem? {
    func pick(_ choices: [Int]) -> Int { choices.randomElement(using: &generator)! }
    let depthwise = pick([0, 0, 0, 0, 0, 1]) == 1
    let groups = depthwise ? pick([1, 2, 3, 8, 16, 17, 20, 32]) : pick([1, 1, 1, 1, 2, 3, 4])
    let channels = depthwise ? 1 : pick([1, 2, 3, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 64])
    let outputs = depthwise ? 1 : pick([1, 2, 3, 4, 6, 8, 12, 15, 16, 17, 31, 32, 33, 40, 48, 64, 80])
    let extents = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20, 28, 29]
    let kernels = [1, 1, 2, 3, 3, 3, 4, 5, 7]
    let square = Bool.random(using: &generator)
    let r = pick(kernels)
    let stride = pick([1, 1, 1, 2, 2, 3])
    let padding: Conv2dProblem.Padding =
      stride == 1 && pick([0, 0, 0, 1]) == 1
      ? .same : .explicit(square ? Pair(pick([0, 1, r / 2, 2])) : Pair(pick([0, 1, 2, 3]), pick([0, 1, 2, 5])))
    return try? Conv2dProblem(
      batch: pick([0, 1, 1, 1, 2, 2, 3]), inputChannels: groups * channels,
      inputSize: Pair(pick(extents), pick(extents)),
      outputChannels: groups * outputs, kernelSize: square ? Pair(r) : Pair(r, pick(kernels)),
      stride: square || padding == .same ? Pair(stride) : Pair(stride, pick([1, 2, 3])), padding: padding,
      dilation: square ? 1 : Pair(pick([1, 2, 3]), pick([1, 2])), groups: groups)
  }
}
