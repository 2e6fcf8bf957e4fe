import Operations
import Problems
import Tensors
import Testing

/// Group and layer normalisation, whose slices differ and whose mathematics does not.
@Suite struct NormalisationTests {
  /// One element's slice: the positions that are normalised with it, and its parameter.
  private typealias Slicing = ([Int]) -> (slice: [Int], parameter: [Int])

  private static let texts = [
    "group_norm n2c6h3w4 groups3", "group_norm n2c6h3w4 noweight groups2", "group_norm n3c4 nobias groups2",
    "group_norm shape2x4x5 groups4 eps0.5", "group_norm shape1x4x2x3x2 noaffine groups1", "group_norm n3c4 groups4",
    "layer_norm n4c7 dims1", "layer_norm shape2x5x7 dims2", "layer_norm shape2x5x7 noweight dims1",
    "layer_norm n2c3h4w3 nobias dims3", "layer_norm shape2x2x3x2x2 noaffine dims2 eps0.5", "layer_norm shape9 dims1",
    "layer_norm n4c1 dims1",
  ]

  /// By PyTorch's words: groups of neighbouring channels of one image, or everything that shares the leading indices.
  private func slicing(_ problem: any OperationProblem) throws -> (Shape, Double, Slicing) {
    if let problem = problem as? GroupNormProblem {
      return (problem.inputShape, problem.eps, { ([$0[0], $0[1] / (problem.channels / problem.numGroups)], [$0[1]]) })
    }
    let problem = try #require(problem as? LayerNormProblem)
    let dims = problem.normalizedDims
    return (problem.inputShape, problem.eps, { (Array($0.dropLast(dims)), Array($0.suffix(dims))) })
  }

  @Test(arguments: texts) func `values are those of the formula`(_ text: String) throws {
    let problem = try Problem.parse(text)
    let (shape, eps, slicing) = try slicing(problem)
    let draw = OperandDraw(problem.operands, roles: problem.definition.roles, seed: 11, range: .unit)
    let x = try #require(draw.operands["x"])
    let y = try #require(problem.definition.compute(Given(operands: draw.operands)).outputs["y"])
    func parameter(_ name: String, _ index: [Int], otherwise value: Double) -> Double {
      guard let tensor = draw.operands[name] else { return value }
      return tensor.elements[zip(index, tensor.shape.strides).reduce(0) { $0 + $1.0 * $1.1 }]
    }
    let places = x.elements.indices.map { slicing(shape.index(ofOffset: $0)) }
    let slices = Dictionary(grouping: x.elements.indices) { places[$0].slice }.mapValues { $0.map { x.elements[$0] } }
    let expected = try x.elements.indices.map { i in
      let slice = try #require(slices[places[i].slice])
      let mean = slice.reduce(0, +) / Double(slice.count)
      let variance = slice.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(slice.count)
      let normalised = (x.elements[i] - mean) / (variance + eps).squareRoot()
      return parameter("weight", places[i].parameter, otherwise: 1) * normalised
        + parameter("bias", places[i].parameter, otherwise: 0)
    }
    #expect(difference(y, Tensor(shape: shape, elements: expected)) < allowedDifference)
  }

  @Test(arguments: texts) func `the backward pass is the forward pass's derivative`(_ text: String) throws {
    let problem = try Problem.parse(text)
    let definition = problem.definition
    let draw = OperandDraw(problem.operands, roles: definition.roles, seed: 12, range: .unit)
    let names = try #require(definition.differentiableOperands.value)
    let arguments = try names.map { try #require(draw.operands[$0]) }
    let dy = random(try #require(problem.outputs["y"]).shape, seed: 13)
    let hand = try definition.compute(Given(operands: draw.operands, upstream: ["y": dy])).gradients
    let dual = try dualGradients(of: arguments, cotangent: dy) { duals in
      let operands = Dictionary(uniqueKeysWithValues: zip(names, duals))
      return try #require(definition.compute(Given(operands: operands)).outputs["y"])
    }
    #expect(hand.keys.sorted() == names)
    for (name, dual) in zip(names, dual) {
      #expect(difference(try #require(hand[name]), dual) < allowedDifference, "\(name)")
    }
  }

  /// 1, 3 | 2, 10 have means 2, 6 and deviations 1, 4.
  @Test func valuesByHand() throws {
    let x = Tensor<Double>(shape: [1, 4], elements: [1, 3, 2, 10])
    let weight = Tensor<Double>(shape: [4], elements: [1, 2, 3, 4])
    let bias = Tensor<Double>(shape: [4], elements: [0, 0, 5, 5])
    let groups = GroupNorm(try GroupNormProblem(inputShape: x.shape, numGroups: 2, eps: 0))
    #expect(try groups.forward(x, weight: weight, bias: bias).elements == [-1, 2, 2, 9])
    let rows = LayerNorm(
      try LayerNormProblem(inputShape: [2, 2], normalizedDims: 1, eps: 0, hasWeight: false, hasBias: false))
    #expect(try rows.forward(Tensor(shape: [2, 2], elements: x.elements)).elements == [-1, 1, -1, 1])
  }

  @Test func aGroupForEachChannelOfOneImageIsABatchNormOfIt() throws {
    let shape: Shape = [1, 3, 4, 5]
    let (x, dy) = (random(shape, seed: 1), random(shape, seed: 2))
    let weight = random([3], seed: 3)
    let group = GroupNorm(try GroupNormProblem(inputShape: shape, numGroups: 3, hasBias: false))
    let batch = BatchNorm2d(
      try BatchNorm2dProblem(inputShape: shape, training: true, hasBias: false, tracksRunningStatistics: false))
    let (y, expected) = (try group.forward(x, weight: weight), try batch.forward(x, weight: weight).y)
    #expect(difference(y, expected) < allowedDifference)
    let (ours, theirs) = (try group.backward(dy, x: x, weight: weight), try batch.backward(dy, x: x, weight: weight))
    #expect(difference(ours.dInput, theirs.dInput) < allowedDifference)
    #expect(difference(try #require(ours.dWeight), try #require(theirs.dWeight)) < allowedDifference)
  }

  @Test func oneGroupIsALayerNormOfTheImage() throws {
    let shape: Shape = [2, 3, 4, 5]
    let x = random(shape, seed: 4)
    let group = GroupNorm(try GroupNormProblem(inputShape: shape, numGroups: 1, hasWeight: false, hasBias: false))
    let layer = LayerNorm(try LayerNormProblem(inputShape: shape, normalizedDims: 3, hasWeight: false, hasBias: false))
    #expect(try group.forward(x) == layer.forward(x))
  }

  /// A common shift of a slice changes nothing, whatever γ is: the gradient sums to zero over each set of the definition.
  @Test(arguments: texts) func `gradients of a slice sum to zero`(_ text: String) throws {
    let problem = try Problem.parse(text)
    let definition = problem.definition
    let invariance = try #require(definition.shiftInvariance.value)
    let draw = OperandDraw(problem.operands, roles: definition.roles, seed: 14, range: .unit)
    let dy = random(try #require(problem.outputs["y"]).shape, seed: 15)
    let dx = try #require(definition.compute(Given(operands: draw.operands, upstream: ["y": dy])).gradients["x"])
    var sums = [Double](repeating: 0, count: invariance.setCount)
    for (i, value) in dx.elements.enumerated() { sums[invariance.set(i)] += value }
    #expect(sums.allSatisfy { abs($0) < allowedDifference })
  }

  @Test(arguments: [
    ("group_norm n2c6h3w4 groups4", ProblemError.Category.invalidArgument),
    ("group_norm n2c6h3w4 groups12", .invalidArgument), ("group_norm n2c6h3w4 groups0", .invalidArgument),
    ("group_norm n2c6h3w4 groups-3", .invalidArgument), ("group_norm n2c6h3w4", .invalidArgument),
    ("group_norm shape6 groups3", .shapeMismatch), ("group_norm n2c6 groups2 eps-1.0", .invalidArgument),
    ("layer_norm n2c6 dims0", .invalidArgument), ("layer_norm n2c6 dims-1", .invalidArgument),
    ("layer_norm n2c6 dims3", .shapeMismatch), ("layer_norm n2c6", .invalidArgument),
    ("layer_norm n2c6 dims1 eps-1.0", .invalidArgument),
  ])
  func refuses(text: String, category: ProblemError.Category) {
    let error = #expect(throws: ProblemError.self) { try Problem.parse(text) }
    #expect(error?.category == category)
  }

  @Test(arguments: [("group_norm", "num_groups", [6]), ("layer_norm", "normalized_dims", [4, 5])])
  func `parameters of another shape are refused`(_ operation: String, _ attribute: String, _ shape: [Int]) throws {
    let attributes = Attributes([attribute: .integer(2)])
    for name in ["weight", "bias"] {
      var operands = Operands(inputs: ["x": TensorType([2, 6, 4, 5])])
      operands.parameters[name] = TensorType(Shape(shape))
      #expect(try Problem.make(operation: operation, attributes: attributes, operands: operands) != nil)
      for wrong: Shape in [Shape(shape + [1]), Shape(shape.map { $0 + 1 }), Shape(shape.reversed() + [1])] {
        operands.parameters[name] = TensorType(wrong)
        let error = #expect(throws: ProblemError.self) {
          try Problem.make(operation: operation, attributes: attributes, operands: operands)
        }
        #expect(error?.category == .shapeMismatch)
      }
    }
  }

  @Test func nothingToNormaliseIsNothing() throws {
    for text in ["group_norm n0c6h4w5 groups2", "layer_norm n0c6 dims1", "layer_norm n4c0 dims1"] {
      let problem = try Problem.parse(text)
      let draw = OperandDraw(problem.operands, roles: problem.definition.roles, seed: 1, range: .unit)
      let shape = try #require(problem.outputs["y"]).shape
      let found = try problem.definition.compute(Given(operands: draw.operands, upstream: ["y": Tensor(zeros: shape)]))
      #expect(found.outputs["y"] == Tensor(zeros: shape))
      #expect(found.gradients["weight"]?.elements.allSatisfy { $0 == 0 } == true)
    }
  }
}
