import Problems

/// The steps of `torch.optim.Adam` on one parameter (``Optimizer``).
public struct AdamStep: OptimizerStepOperation {
  public let problem: AdamStepProblem
  public init(_ problem: AdamStepProblem) { self.problem = problem }
}
