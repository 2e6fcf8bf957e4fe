import Problems

/// The steps of `torch.optim.AdamW` on one parameter (``Optimizer``).
public struct AdamWStep: OptimizerStepOperation {
  public let problem: AdamWStepProblem
  public init(_ problem: AdamWStepProblem) { self.problem = problem }
}
