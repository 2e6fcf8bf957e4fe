import Operations
import Problems
import Tensors
import Testing

/// A transposed convolution against its definition, against the convolution that it is the adjoint of, and against derivatives.
@Suite struct ConvTranspose2dTests {
  /// Output padding, stride beyond the kernel, either axis its own, groups, depthwise, dilation, cropping, with and without bias.
  static let texts = [
    "conv_transpose2d n2c4h5w6 k6r3s3 bias stride2 pad1 outpad1 groups2",
    "conv_transpose2d n2c3h4w5 k4r3s2 bias stride2x3 pad1x0 outpad1x2",
    "conv_transpose2d n1c2h3w4 k3r1s1 stride3 pad0 outpad2",
    "conv_transpose2d n1c3h4w3 k6r3s3 stride1 pad1 groups3",
    "conv_transpose2d n1c2h4w3 k3r2s3 bias stride1x2 pad2x1 dilation3x2",
    "conv_transpose2d n1c2h6w7 k3r2s2 stride1 pad3",
    "conv_transpose2d n2c2h1w1 k3r3s4 bias stride1 pad0",
  ]
  /// Output padding below the dilation alone: the convolution that gives this input size does not exist.
  static let beyondConvolutions = ["conv_transpose2d n1c2h4w3 k3r3s3 bias stride1 pad1 outpad2 dilation3"]

  private struct Drawn {
    let problem: ConvTranspose2dProblem
    let x, weight, dy: Tensor<Double>
    let bias: Tensor<Double>?

    init(_ text: String) throws {
      problem = try #require(try Problem.parse(text) as? ConvTranspose2dProblem)
      (x, weight) = (random(problem.inputShape, seed: 1), random(problem.weightShape, seed: 2))
      bias = problem.hasBias ? random(Shape(problem.outputChannels), seed: 3) : nil
      dy = random(problem.outputShape, seed: 4)
    }
  }

  private static func element(of tensor: Tensor<Double>, _ index: [Int]) -> Double {
    tensor.elements[zip(index, tensor.shape.strides).reduce(0) { $0 + $1.0 * $1.1 }]
  }

  /// Output by output: each tap asks which input it would have come from.
  private static func definition(_ drawn: Drawn) -> Tensor<Double> {
    let problem = drawn.problem
    let (channels, kernels) = (problem.inputChannels / problem.groups, problem.outputChannels / problem.groups)
    func source(_ output: Int, _ tap: Int, _ axis: KeyPath<Pair, Int>) -> Int? {
      let distance = output + problem.padding[keyPath: axis] - tap * problem.dilation[keyPath: axis]
      let (position, rest) = distance.quotientAndRemainder(dividingBy: problem.stride[keyPath: axis])
      return distance >= 0 && rest == 0 && position < problem.inputSize[keyPath: axis] ? position : nil
    }
    return Tensor<Double>(zeros: problem.outputShape).indexed { index, _ in
      let (n, k) = (index[0], index[1])
      var sum = drawn.bias?.elements[k] ?? 0
      for c in k / kernels * channels..<(k / kernels + 1) * channels {
        for r in 0..<problem.kernelSize.height {
          for s in 0..<problem.kernelSize.width {
            guard let h = source(index[2], r, \.height), let w = source(index[3], s, \.width) else { continue }
            sum += element(of: drawn.x, [n, c, h, w]) * element(of: drawn.weight, [c, k % kernels, r, s])
          }
        }
      }
      return sum
    }
  }

  @Test(arguments: texts + beyondConvolutions) func `values are those of the definition`(text: String) throws {
    let drawn = try Drawn(text)
    let y = try ConvTranspose2d(drawn.problem).forward(drawn.x, weight: drawn.weight, bias: drawn.bias)
    #expect(difference(y, Self.definition(drawn)) < allowedDifference)
  }

  @Test(arguments: texts) func `forward and backward are a convolution's backward and forward`(text: String) throws {
    let drawn = try Drawn(text)
    let problem = drawn.problem
    let layer = ConvTranspose2d(problem)
    let convolution = Conv2d(
      try Conv2dProblem(
        batch: problem.batch, inputChannels: problem.outputChannels, inputSize: problem.outputSize,
        outputChannels: problem.inputChannels, kernelSize: problem.kernelSize, stride: problem.stride,
        padding: .explicit(problem.padding), dilation: problem.dilation, groups: problem.groups))
    try #require(convolution.problem.outputSize == problem.inputSize)
    var unbiased = try convolution.backwardInput(drawn.x, weight: drawn.weight)
    if let bias = drawn.bias { unbiased = unbiased.indexed { $1 + bias.elements[$0[1]] } }
    let y = try layer.forward(drawn.x, weight: drawn.weight, bias: drawn.bias)
    #expect(difference(y, unbiased) < allowedDifference)
    let dInput = try layer.backwardInput(drawn.dy, weight: drawn.weight)
    #expect(difference(dInput, try convolution.forward(drawn.dy, weight: drawn.weight)) < allowedDifference)
    let dWeight = try layer.backwardWeight(drawn.dy, x: drawn.x)
    #expect(difference(dWeight, try convolution.backwardWeight(drawn.x, x: drawn.dy)) < allowedDifference)
  }

  @Test(arguments: texts + beyondConvolutions) func `gradients are derivatives`(text: String) throws {
    let drawn = try Drawn(text)
    let layer = ConvTranspose2d(drawn.problem)
    let operands = [drawn.x, drawn.weight] + (drawn.bias.map { [$0] } ?? [])
    let dual = try dualGradients(of: operands, cotangent: drawn.dy) {
      try layer.forward($0[0], weight: $0[1], bias: $0.count > 2 ? $0[2] : nil)
    }
    let found = try layer.compute(
      Given(
        operands: ["x": drawn.x, "weight": drawn.weight].merging(drawn.bias.map { ["bias": $0] } ?? [:]) { $1 },
        upstream: ["y": drawn.dy]))
    for (name, gradient) in zip(["x", "weight", "bias"], dual) {
      #expect(difference(try #require(found.gradients[name]), gradient) < allowedDifference, "\(name)")
    }
  }

  /// 1 2 spread by 2 with a kernel 1 10 100: 1 10 100+2 20 200, one column more at the end, one less at either end.
  @Test(arguments: [
    ("stride1x2 pad0", [1.5, 10.5, 102.5, 20.5, 200.5]),
    ("stride1x2 pad0 outpad0x1", [1.5, 10.5, 102.5, 20.5, 200.5, 0.5]),
    ("stride1x2 pad0x1", [10.5, 102.5, 20.5]), ("stride1x2 pad0x1 outpad0x1", [10.5, 102.5, 20.5, 200.5]),
  ])
  func `a line by hand`(attributes: String, expected: [Double]) throws {
    let problem = try #require(
      try Problem.parse("conv_transpose2d n1c1h1w2 k1r1s3 bias \(attributes)") as? ConvTranspose2dProblem)
    let y = try ConvTranspose2d(problem).forward(
      Tensor<Double>(shape: [1, 1, 1, 2], elements: [1, 2]),
      weight: Tensor(shape: [1, 1, 1, 3], elements: [1, 10, 100]), bias: Tensor(shape: [1], elements: [0.5]))
    #expect(y.elements == expected)
  }

  /// Beyond x is nothing; beyond dy are zeros that take part.
  @Test func `an infinite weight meets zeros in the gradient alone`() throws {
    let problem = try ConvTranspose2dProblem(
      batch: 1, inputChannels: 1, inputSize: Pair(1, 2), outputChannels: 1, kernelSize: Pair(1, 3),
      stride: Pair(1, 2), padding: Pair(0, 1))
    let layer = ConvTranspose2d(problem)
    let weight = Tensor<Float>(shape: [1, 1, 1, 3], elements: [.infinity, 1, 1])
    let ones = Tensor<Float>(shape: [1, 1, 1, 2], repeating: 1)
    let y = try layer.forward(ones, weight: weight)
    #expect(y.elements == [1, .infinity, 1])
    let dx = try layer.backwardInput(Tensor(shape: [1, 1, 1, 3], repeating: 1), weight: weight)
    #expect(dx.elements[0].isNaN && dx.elements[1] == .infinity)
  }

  @Test(arguments: texts + beyondConvolutions) func `the text form comes back`(text: String) throws {
    let problem = try Problem.parse(text)
    #expect(problem.text == text)
    let made = try Problem.make(
      operation: "conv_transpose2d", attributes: problem.attributes, operands: problem.operands)
    #expect(made?.text == text)
  }

  @Test(arguments: [
    ("n1c2h3w4 k3r3s3 stride2 pad0 outpad2", ProblemError.Category.invalidArgument),
    ("n1c2h3w4 k3r3s3 stride1 pad0 outpad1", .invalidArgument),
    ("n1c2h3w4 k3r3s3 stride2x1 pad0 outpad1", .invalidArgument),
    ("n1c2h3w4 k3r3s3 stride0 pad0", .invalidArgument), ("n1c2h3w4 k3r3s3 stride1 pad-1", .invalidArgument),
    ("n1c2h3w4 k3r3s3 stride1 padsame", .invalidArgument), ("n1c2h3w4 k3r3s3 stride1 pad0 groups2", .invalidArgument),
    ("n1c3h3w4 k4r3s3 stride1 pad0 groups2", .invalidArgument), ("n1c2h3w4 k3r0s3 stride1 pad0", .invalidArgument),
    ("n1c2h3w4 k3r3s3 stride1 pad3", .shapeMismatch), ("n1c2h0w4 k3r3s3 stride1 pad0", .shapeMismatch),
    ("n1c1h1w1 k1r2s2 stride1 pad0 dilation1073741824", .invalidArgument),
  ])
  func refuses(words: String, category: ProblemError.Category) {
    let error = #expect(throws: ProblemError.self) { try Problem.parse("conv_transpose2d \(words)") }
    #expect(error?.category == category)
  }

  @Test(
    arguments: [
      ([6, 4, 3, 3], [6]), ([4, 6, 3], [6]), ([3, 6, 3, 3], [6]), ([4, 6, 3, 3], [4]), ([4, 6, 3, 3], [6, 1]),
      ([4, 1 << 47, 1, 1], nil),
    ] as [(Shape, Shape?)])
  func `a weight or a bias of another shape is refused`(weight: Shape, bias: Shape?) {
    var parameters = ["weight": TensorType(weight)]
    parameters["bias"] = bias.map { TensorType($0) }
    let error = #expect(throws: ProblemError.self) {
      try ConvTranspose2dProblem(
        attributes: Attributes(["groups": .integer(weight[1] > 6 ? 1 << 20 : 1)]),
        operands: Operands(inputs: ["x": TensorType([2, 4, 5, 6])], parameters: parameters))
    }
    #expect(error?.category == .shapeMismatch)
  }

  /// K counts the terms that can meet, not all taps: a kernel of 4×4 with stride 2 has 2×2 of them, and the bias.
  @Test func `the bound counts the taps that meet`() throws {
    let drawn = try Drawn("conv_transpose2d n1c3h5w6 k2r4s4 bias stride2 pad1")
    let given = Given(
      operands: ["x": drawn.x, "weight": drawn.weight, "bias": try #require(drawn.bias)], upstream: ["y": drawn.dy])
    let definition = ConvTranspose2d(drawn.problem)
    let model = try #require(definition.bounds(of: given, values: nil, algorithms: []))
    var magnitudes = given
    magnitudes.operands = given.operands.mapValues { $0.map { abs($0) } }
    magnitudes.upstream = given.upstream.mapValues { $0.map { abs($0) } }
    let sizes = try definition.compute(magnitudes)
    let terms = ["outputs/y": 3 * 4 + 1, "gradients/x": 2 * 16, "gradients/weight": 30, "gradients/bias": 10 * 12]
    for (path, count) in terms {
      let bound = try #require(model.bounds(of: path, in: .float32)).rigorous
      let size = try #require(sizes[path]).elements
      let (gamma, underflow) = (Rounding.float32.gamma(count), Double(count) * Rounding.float32.underflow)
      for i in bound.indices { #expect(abs(bound[i] - gamma * size[i] - underflow) <= 1e-12 * bound[i], "\(path)") }
    }
  }

  /// A shape that is wrong would be noticed by anything: a defect that keeps shapes is what the values must show.
  @Test(arguments: texts) func `defects keep the shapes`(text: String) throws {
    let problem = try Problem.parse(text)
    let exercise = RandomExercise(problem: problem, roles: problem.definition.roles, fill: .exact, seed: 9).exercise
    let correct: Mutant.Compute = { (exercise) throws(EngineError) in
      do throws(ProblemError) {
        guard let operation = try OperationRegistry.operation(of: exercise) else { return Answer() }
        return Answer(try operation.compute(operation.given(exercise, as: Double.self)))
      } catch { throw EngineError(error) }
    }
    let right = try correct(exercise)
    for mutant in try #require(ConvTranspose2d.mutants.value) {
      let answer = try mutant.make()(exercise, correct)
      #expect(answer.paths == right.paths, "\(mutant.name)")
      for path in right.paths { #expect(answer[path]?.shape == right[path]?.shape, "\(mutant.name): \(path)") }
      if mutant.name.hasPrefix("strides of height"), text.contains("stride2x3") {
        #expect(answer["outputs/y"]?.doubles != right["outputs/y"]?.doubles)
      }
    }
  }
}
