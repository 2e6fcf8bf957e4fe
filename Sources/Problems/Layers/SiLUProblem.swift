import Tensors

/// x·σ(x), element by element, σ being the logistic function.
public struct SiLUProblem: ElementwiseProblem {
  public static let operation = "silu"
  public let inputShape: Shape
  public init(inputShape: Shape) { self.inputShape = inputShape }
}
