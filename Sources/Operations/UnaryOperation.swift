import Problems
import Tensors

/// An operation that takes one tensor, `x`, to one, `y`: what a definition of one has in common with the others.
protocol UnaryOperation: Operation {
  func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar>
  /// The gradient of Σ y·dOutput by `x`.
  func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar>
}

extension UnaryOperation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let x = try given.operand("x")
    let dOutput = try given.cotangent(shape: problem.outputs["y"]?.shape ?? x.shape)
    var found = Found(y: given.wantsOutputs ? try forward(x) : nil)
    if let dOutput { found.gradients["x"] = try backward(dOutput, x: x) }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["x"]) }
}

/// One whose gradient is the same wherever it is taken.
protocol LinearUnaryOperation: UnaryOperation {
  func backward<Scalar: RealScalar>(_ dOutput: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar>
}

extension LinearUnaryOperation {
  func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> { try backward(dOutput) }

  public var branches: Applicable<any Branching> { .none(because: "it is linear") }
}
