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

extension Dropout: Operation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let x = try given.operand("x")
    let dOutput = try given.cotangent(shape: problem.inputShape)
    var found = Found(y: given.wantsOutputs ? try forward(x) : nil)
    if let dOutput { found.gradients["x"] = try backward(dOutput) }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["x"]) }
  public var branches: Applicable<any Branching> { .none(because: "it is linear") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
