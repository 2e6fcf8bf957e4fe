import Problems
import Tensors

/// y = x.
public struct Identity: Sendable {
  public let problem: IdentityProblem
  public init(_ problem: IdentityProblem) { self.problem = problem }

  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    return x
  }
  public func backward<Scalar: RealScalar>(_ dOutput: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.inputShape, as: "upstream/y")
    return dOutput
  }
}

extension Identity: LinearUnaryOperation {
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
