import Problems
import Tensors

/// Dropout in evaluation: y = x. (In training its result is random by definition, and so nothing to verify.)
public struct Dropout: Sendable {
  public let problem: DropoutProblem
  public init(_ problem: DropoutProblem) { self.problem = problem }

  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    return x
  }
  public func backward<Scalar: RealScalar>(_ dOutput: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.inputShape, as: "upstream/y")
    return dOutput
  }
}

extension Dropout: LinearUnaryOperation {
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
