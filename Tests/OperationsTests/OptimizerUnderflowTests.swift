import Operations
import Problems
import Tensors
import Testing

/// What underflows before a division is divided, too.
@Suite struct OptimizerUnderflowTests {
  /// m so small that lr·m is denormal in single precision, over a divisor of ε alone.
  @Test(arguments: [1.3e-39, 7.7e-40, 3.1e-41, 9.9e-43])
  func `both orders of a step lie within the bound`(moment: Double) throws {
    let problem = try Problem.parse("adam_step shape1 t1 moments")
    let m = Double(Float(moment))
    let zero = Tensor<Double>(zeros: [1])
    let definition = problem.definition
    var given = Given<Double>(operands: [
      "gradients": Tensor(zeros: [1, 1]), "p": zero, "exp_avg": Tensor(shape: [1], elements: [m]), "exp_avg_sq": zero,
    ])
    given.wantsOutputs = true
    let exact = try #require(try definition.compute(given).outputs["trajectory"]?.elements.first)
    let model = try #require(definition.bounds(of: given, values: nil, algorithms: []))
    let bound = try #require(model.bounds(of: "outputs/trajectory", in: .float32)?.rigorous.first)
    let first = Float(0.9) * Float(m)
    let rate = Float(0.001 / (1 - 0.9))
    for step in [(rate * first) / Float(1e-8), rate * (first / Float(1e-8))] {
      #expect(abs(Double(-step) - exact) <= bound, "\(step), \(exact), \(bound)")
    }
    // And no more than that: no step at all is outside.
    #expect(bound < abs(exact))
  }
}
