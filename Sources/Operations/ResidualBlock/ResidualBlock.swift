import Problems
import Tensors

/// A residual block of any stages and any shortcut.
///
///     y = ReLU(branch(x) + shortcut(x))
///
/// - Source: He et al. 2016, "Deep residual learning for image recognition".
public struct ResidualBlock: BlockOperation {
  public let problem: ResidualBlockProblem
  public init(_ problem: ResidualBlockProblem) { self.problem = problem }

  var plan: ResidualBlockPlan { problem.plan }
}
