import Problems
import Tensors

/// torchvision's `Bottleneck`: 1×1, 3×3 and 1×1 convolutions and a shortcut.
///
///     y = ReLU(branch(x) + shortcut(x))
///
/// - Source: He et al. 2016, "Deep residual learning for image recognition".
public struct Bottleneck: BlockOperation {
  public let problem: BottleneckProblem
  public init(_ problem: BottleneckProblem) { self.problem = problem }

  var plan: ResidualBlockPlan { problem.plan }
}
