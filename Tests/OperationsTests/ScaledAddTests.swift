import Operations
import Problems
import Tensors
import Testing

/// A sum with a factor: values, gradients, text form, and what its bound allows.
@Suite struct ScaledAddTests {
  @Test(arguments: [
    ("scaled_add n2c3h4w5 alpha0.1", 0.1), ("scaled_add shape7", 1), ("scaled_add n2c3 alpha-0.75", -0.75),
    ("scaled_add shape alpha1e-30", 1e-30), ("scaled_add n1c2 alphainf", .infinity),
  ])
  func `the text form has the factor unless it is 1`(text: String, alpha: Double) throws {
    let problem = try #require(try Problem.parse(text) as? ScaledAddProblem)
    #expect(problem.alpha == alpha)
    #expect(problem.text == text)
  }

  @Test func `a factor may be stored as an integer`() throws {
    let type = TensorType([3])
    let problem = try ScaledAddProblem(
      attributes: Attributes(["alpha": .integer(-2)]), operands: Operands(inputs: ["x": type, "other": type]))
    #expect(problem.alpha == -2)
  }

  @Test(arguments: [
    (["x": TensorType([2, 3]), "other": TensorType([2, 4])], ProblemError.Category.shapeMismatch),
    (["x": TensorType([2, 3]), "other": TensorType([3])], .shapeMismatch),
    (["x": TensorType([2, 3])], .shapeMismatch),
    (["x": TensorType([2, 3]), "other": TensorType([2, 3], .int64)], .unsupportedDType),
  ])
  func refuses(inputs: [String: TensorType], category: ProblemError.Category) {
    let error = #expect(throws: ProblemError.self) {
      try ScaledAddProblem(attributes: Attributes(), operands: Operands(inputs: inputs))
    }
    #expect(error?.category == category)
  }

  /// x + α·other and its gradients, α being rounded to the precision at hand.
  @Test(arguments: [0.1, -0.75, 0, 3.25])
  func `values are those of the definition`(alpha: Double) throws {
    let shape: Shape = [2, 3, 5]
    let (x, other, dy) = (random(shape, seed: 1), random(shape, seed: 2), random(shape, seed: 3))
    let layer = ScaledAdd(ScaledAddProblem(inputShape: shape, alpha: alpha))
    let y = try layer.forward(x, other)
    #expect(y.elements == zip(x.elements, other.elements).map { $0 + alpha * $1 })
    let single = try layer.forward(x.map { Float($0) }, other.map { Float($0) })
    #expect(
      single.elements == zip(x.elements, other.elements).map { Float($0) + Float(alpha) * Float($1) })
    let hand = try layer.backward(dy)
    let dual = try dualGradients(of: [x, other], cotangent: dy) { try layer.forward($0[0], $0[1]) }
    #expect(hand.dInput == dual[0])
    #expect(hand.dOther == dual[1])
  }

  @Test func `a factor of 0 still multiplies`() throws {
    let layer = ScaledAdd(ScaledAddProblem(inputShape: [3], alpha: 0))
    let y = try layer.forward(
      Tensor<Float>(shape: [3], elements: [1, 2, 3]), Tensor(shape: [3], elements: [.infinity, 5, .nan]))
    #expect(y.elements[0].isNaN && y.elements[1] == 2 && y.elements[2].isNaN)
  }

  /// With x and other near a power of two each of the three roundings can be seen: results in float32 come near the bound, and
  /// stay within it.
  @Test(arguments: [0.1, -3.3, 1 / 3.0, 1e-38, 1e-42])
  func `float32 stays within the bound`(alpha: Double) throws {
    let problem = ScaledAddProblem(inputShape: [4096], alpha: alpha)
    // The sum is of the product's size, so that none of the roundings hides behind another.
    let x = Tensor<Float>(splitMix64Uniform: [4096], seed: 5, low: 0, high: abs(alpha))
    let other = Tensor<Float>(splitMix64Uniform: [4096], seed: 6, low: -2, high: 2)
    let (wideX, wideOther) = (x.map { Double($0) }, other.map { Double($0) })
    let given = Given(operands: ["x": wideX, "other": wideOther], upstream: ["y": wideOther])
    let definition = ScaledAdd(problem)
    let model = try #require(definition.bounds(of: given, values: nil, algorithms: []))
    let exact = try definition.compute(given)
    let single = try definition.compute(Given(operands: ["x": x, "other": other], upstream: ["y": other]))
    for path in ["outputs/y", "gradients/x", "gradients/other"] {
      let bounds = try #require(model.bounds(of: path, in: .float32)).rigorous
      let (wide, narrow) = (try #require(exact[path]), try #require(single[path]))
      for i in bounds.indices {
        #expect(abs(Double(narrow.elements[i]) - wide.elements[i]) <= bounds[i], "\(path) \(i)")
      }
    }
  }

  /// 1.5 + 0.1·2.5: factor, product and sum are 0.1 (times 2.5), 0.25 and 1.75 large.
  @Test func `each rounding adds its own size`() throws {
    let given = Given<Double>(
      operands: ["x": Tensor(shape: [1], elements: [1.5]), "other": Tensor(shape: [1], elements: [2.5])],
      upstream: ["y": Tensor(shape: [1], elements: [1])])
    let model = try #require(
      ScaledAdd(ScaledAddProblem(inputShape: [1], alpha: 0.1)).bounds(of: given, values: nil, algorithms: []))
    for (path, size) in [("outputs/y", 0.25 + 0.25 + 1.75), ("gradients/x", 0), ("gradients/other", 0.1 + 0.1)] {
      let bound = try #require(model.bounds(of: path, in: .float32)).rigorous[0]
      // Products of two roundings are left out of the sizes.
      let first = size * 0x1p-24
      #expect(bound >= first && bound <= first * (1 + 0x1p-20), "\(path)")
    }
  }

  /// An implementation of 16 bits may have 0.1 as 0.10009765625, the nearest bfloat16.
  @Test func `a factor may be rounded to 16 bits where the operands are`() throws {
    var given = Given<Double>(
      operands: ["x": Tensor(shape: [1], elements: [-0.1]), "other": Tensor(shape: [1], elements: [1])])
    let definition = ScaledAdd(ScaledAddProblem(inputShape: [1], alpha: 0.1))
    let distance = 0.10009765625 - 0.1
    for (storage, holds) in [(DType.bfloat16, true), (.float32, false)] {
      given.storage = storage
      let model = try #require(definition.bounds(of: given, values: nil, algorithms: []))
      let bound = try #require(model.bounds(of: "outputs/y", in: .float32)).rigorous[0]
      #expect((bound >= distance) == holds, "\(storage)")
      #expect(bound < 1.001 * distance)
    }
  }

  @Test func `only a factor of few digits is exact on integers`() {
    func isExact(_ alpha: Double) -> Bool {
      ScaledAdd(ScaledAddProblem(inputShape: [1], alpha: alpha)).linearity.isExactOnIntegers
    }
    #expect([0, 1, -0.75, 0x1p-10, 1024].allSatisfy(isExact))
    #expect(![0.1, 0x1p-11, 1025, .infinity, .nan].contains(where: isExact))
  }
}
