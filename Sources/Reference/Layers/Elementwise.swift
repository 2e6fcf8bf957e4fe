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
