import Problems
import Tensors

/// y = x + other, the joint of a residual block.
public struct Add: Sendable {
  public let problem: AddProblem
  public init(_ problem: AddProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, _ other: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    try other.require(problem.inputShape, as: "inputs/other")
    var y = x
    var span = y.elements.mutableSpan
    let other = other.elements.span
    precondition(other.count == span.count)
    for i in 0..<span.count { span[i] += other[i] }
    return y
  }

  /// Both summands take the whole gradient.
  public func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>
  ) throws(ProblemError) -> (dInput: Tensor<Scalar>, dOther: Tensor<Scalar>) {
    try dOutput.require(problem.inputShape, as: "upstream/y")
    return (dOutput, dOutput)
  }
}

extension Add: Operation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let (x, other) = (try given.operand("x"), try given.operand("other"))
    let dOutput = try given.cotangent(shape: problem.inputShape)
    var found = Found(y: given.wantsOutputs ? try forward(x, other) : nil)
    if let dOutput {
      let (dInput, dOther) = try backward(dOutput)
      found.gradients = ["x": dInput, "other": dOther]
    }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["other", "x"]) }
  public var branches: Applicable<any Branching> { .none(because: "it is linear") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
