import Problems
import Tensors

/// torchvision's `BasicBlock`: two 3×3 convolutions and a shortcut.
///
///     y = ReLU(branch(x) + shortcut(x))
///
/// - Source: He et al. 2016, "Deep residual learning for image recognition".
public struct BasicBlock: BlockOperation {
  public let problem: BasicBlockProblem
  public init(_ problem: BasicBlockProblem) { self.problem = problem }

  var plan: ResidualBlockPlan { problem.plan }
}
