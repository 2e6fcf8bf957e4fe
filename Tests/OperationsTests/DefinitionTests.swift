import Operations
import Problems
import Tensors
import Testing

/// What a definition says about its operation fits the operation.
@Suite struct DefinitionTests {
  /// Problems with every kind of operand, beside those that the definitions themselves name.
  private static let others = [
    "batch_norm2d n2c3h4w4 counted", "cross_entropy n4c3 probabilities weighted",
    "residual_block n1c2h4w4 stagesconv,k=3,out=2,stride=1,pad=1,groups=1", "sgd_step n4c5 t3 lr0.1",
    "adam_step n4c5 t3 moments amsgrad", "adamw_step n4c5 t3 moments", "resnet n1c3h32w32 archcifar_resnet20 target",
    "resnet n2c3h32w32 archcifar_resnet20 training uncounted",
    "training_run n4c3h32w32 t2b2 archcifar_resnet20 classes10 optimizersgd lr0.1",
  ]
  static let texts =
    OperationRegistry.gradientCases.map(\.text) + OperationRegistry.calibrationProblems.map(\.text) + others

  @Test(arguments: texts) func `each operand has a meaning, and nothing else has`(_ text: String) throws {
    let problem = try Problem.parse(text)
    #expect(problem.definition.roles.keys.sorted() == problem.operands.all.keys.sorted())
  }

  /// Those that an unoptimised build computes at once: networks are put together from these.
  static let quick = texts.filter { text in (try? Problem.parse(text)).map { $0.work.value < 1 << 19 } ?? true }

  @Test(arguments: quick) func `what is drawn can be computed`(_ text: String) throws {
    let problem = try Problem.parse(text)
    let draw = OperandDraw(problem.operands, roles: problem.definition.roles, seed: 5, range: .unit)
    let found = try problem.definition.compute(Given(operands: draw.operands, integers: draw.integers))
    #expect(found.outputs.values.allSatisfy { $0.elements.allSatisfy(\.isFinite) })
  }

  /// Whatever the operation: what may not have other values has its own.
  @Test(arguments: quick, OperandPattern.allCases)
  func `what is drawn by a pattern can be computed`(_ text: String, _ pattern: OperandPattern) throws {
    let problem = try Problem.parse(text)
    let roles = problem.definition.roles
    let draw = OperandDraw(problem, roles: roles, seed: 5, pattern: pattern)
    #expect(Set(draw.operands.keys).union(draw.integers.keys) == Set(roles.keys))
    for (name, tensor) in draw.operands where [.variance, .positive, .gain].contains(roles[name]) {
      #expect(tensor.elements.allSatisfy { $0 > 0 && $0 <= 2 }, "\(name)")
    }
    let found = try problem.definition.compute(Given(operands: draw.operands, integers: draw.integers))
    #expect(found.outputs.values.allSatisfy { $0.elements.allSatisfy(\.isFinite) })
  }

  @Test(arguments: OperationRegistry.names.sorted()) func `exercises and defects are its own`(_ name: String) throws {
    let definition = try #require(OperationRegistry.type(named: name))
    let texts =
      (definition.gradientCases.value ?? []).map(\.text) + (definition.calibrationProblems.value ?? []).map(\.text)
    #expect(texts.allSatisfy { $0.hasPrefix(name + " ") })
    let mutants = definition.mutants.value ?? []
    #expect(mutants.allSatisfy { $0.operations == [name] })
    #expect(Set(mutants.map(\.name)).count == mutants.count)
    let perturbations = definition.perturbations.value ?? []
    #expect(Set(perturbations.map(\.name)).count == perturbations.count)
  }

  @Test func `a defect that several operations have is one, and each has its own form of it`() throws {
    let mutant = try #require(OperationRegistry.mutants.first { $0.name == "learning rate off by 1/10⁵" })
    #expect(mutant.operations == ["sgd_step", "adam_step", "adamw_step"])
    let defect = mutant.make()
    // Without an attribute each optimiser's own default is off: 0 for one, 1e-3 for the other.
    for (operation, expected) in [("sgd_step", 0), ("adam_step", 1e-3 * (1 + 1e-5))] {
      let exercise = Exercise(name: "none", operation: operation, inputs: [:])
      let rates = Remembered<Double>()
      _ = try defect(exercise) { (exercise) throws(EngineError) in
        _ = rates.exchange(try? exercise.attributes.real("lr", default: nil))
        return Answer()
      }
      #expect(rates.exchange(nil) == expected)
    }
  }

  @Test func `all defects have names of their own`() {
    let names = (OperationRegistry.mutants + OperationRegistry.controls).map(\.name)
    #expect(Set(names).count == names.count)
  }
}

/// The parts of a convolution that are followed on their own.
@Suite struct ConvolutionSliceTests {
  private static let text = "conv2d n2c4h6w5 k3r3s3 stride2 pad1 bias"

  /// J·u for a direction of two elements is the difference of two passes: the convolution is linear in each operand.
  @Test(arguments: ["x", "weight"]) func `a slice is the part of a pass`(_ operand: String) throws {
    let problem = try Problem.parse(Self.text)
    let definition = problem.definition
    let slices = try #require(definition.slices.value)
    let draw = OperandDraw(problem.operands, roles: definition.roles, seed: 7, range: .unit)
    let elements = [1, 3]
    let values = try #require(draw.operands[operand])
    var direction = [Double](repeating: 0, count: values.count)
    for element in elements { direction[element] = 0.5 }
    var moved = draw.operands
    moved[operand] = Tensor(shape: values.shape, elements: zip(values.elements, direction).map { $0 + $1 })
    let (before, after) = (try outputs(definition, draw.operands), try outputs(definition, moved))
    let response = try #require(try slices.response(of: operand, elements, to: direction, draw.operands))
    #expect(response.count == before.count)
    for i in response.indices { #expect(abs(after[i] - before[i] - response[i]) < 1e-14, "\(operand) \(i)") }
  }

  @Test func `what costs no less than a pass is left to it`() throws {
    let problem = try Problem.parse(Self.text)
    let slices = try #require(problem.definition.slices.value)
    let draw = OperandDraw(problem.operands, roles: problem.definition.roles, seed: 7, range: .unit)
    let plane = 30
    #expect(try slices.response(of: "bias", [0], to: [1, 0, 0], draw.operands) == nil)
    #expect(
      try slices.response(
        of: "x", (0..<4).map { $0 * plane }, to: [Double](repeating: 1, count: 8 * plane), draw.operands) == nil)
  }

  private func outputs(_ definition: any Operation, _ operands: [String: Tensor<Double>]) throws -> [Double] {
    try definition.compute(Given(operands: operands)).outputs["y"]?.elements ?? []
  }
}
