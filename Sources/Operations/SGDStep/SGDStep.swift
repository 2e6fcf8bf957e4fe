import Problems

/// The steps of `torch.optim.SGD` on one parameter (``Optimizer``).
public struct SGDStep: OptimizerStepOperation {
  public let problem: SGDStepProblem
  public init(_ problem: SGDStepProblem) { self.problem = problem }
}
