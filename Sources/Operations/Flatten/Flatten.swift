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

extension Flatten: Operation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let x = try given.operand("x")
    let dOutput = try given.cotangent(shape: problem.outputShape)
    var found = Found(y: given.wantsOutputs ? try forward(x) : nil)
    if let dOutput { found.gradients["x"] = try backward(dOutput) }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["x"]) }
  public var branches: Applicable<any Branching> { .none(because: "it is linear") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
