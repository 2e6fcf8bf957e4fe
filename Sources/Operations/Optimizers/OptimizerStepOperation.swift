import Problems
import Tensors

/// Some steps of an optimiser on one parameter whose gradients are given (``Optimizer``).
protocol OptimizerStepOperation: Operation where Asked: OptimizerStepProblem {}

extension OptimizerStepOperation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    var p = try given.operand("p")
    let gradients = try given.operand("gradients")
    var state = OptimizerState<Scalar>(step: problem.firstStep - 1)
    state.expAvg = given.operands["exp_avg"]
    state.expAvgSq = given.operands["exp_avg_sq"]
    state.maxExpAvgSq = given.operands["max_exp_avg_sq"]
    let optimizer = Optimizer(problem.options)
    var trajectory: [Scalar] = []
    for step in 0..<problem.stepCount {
      let range = step * p.count..<(step + 1) * p.count
      let gradient = Tensor(shape: p.shape, elements: Array(gradients.elements[range]))
      try optimizer.step(&p, gradient: gradient, state: &state)
      trajectory += p.elements
    }
    var found = Found(outputs: ["trajectory": Tensor(shape: gradients.shape, elements: trajectory)])
    found.outputs["momentum_buffer"] = state.momentumBuffer
    found.outputs["exp_avg"] = state.expAvg
    found.outputs["exp_avg_sq"] = state.expAvgSq
    return found
  }

  public var differentiableOperands: Applicable<[String]> {
    .none(because: "a step of an optimiser gives no gradients")
  }
  public var branches: Applicable<any Branching> { .none(because: "nothing is differentiated through it") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is not a layer of a network") }

  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { OptimizerBounds(problem, given) }

  public var staysSingle: Set<String> {
    ["p", "trajectory", "momentum_buffer", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
  }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "it is not a layer of a network")
  }
}
