import Problems
import Tensors

/// All axes from 1 on become one: (N, C, H, W) → (N, C·H·W).
public struct Flatten: Sendable {
  public let problem: FlattenProblem
  public init(_ problem: FlattenProblem) { self.problem = problem }

  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    return x.reshaped(to: problem.outputShape)
  }
  public func backward<Scalar: RealScalar>(_ dOutput: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    return dOutput.reshaped(to: problem.inputShape)
  }
}

extension Flatten: LinearUnaryOperation {
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
