import Problems
import Tensors

/// The joint of a residual block whose branch has a factor.
///
///     y[i] = x[i] + α · other[i]
///
/// α is rounded to the scalar's precision. α = 0 is a factor like any other: 0 · ∞ is NaN.
///
/// - Shapes: any, the same for `x`, `other` and `y`.
/// - Throws: ``Problems/ProblemError`` when a tensor does not have the problem's shape.
/// - Source: Szegedy et al. 2017, section 3.3; argument names after `torch.add`.
public struct ScaledAdd: Sendable {
  public let problem: ScaledAddProblem
  public init(_ problem: ScaledAddProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, _ other: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    try other.require(problem.inputShape, as: "inputs/other")
    var y = x
    var sum = y.elements.mutableSpan
    addMultiple(Scalar(problem.alpha), other.elements.span, at: 0, to: &sum, at: 0, count: x.count)
    return y
  }

  /// dInput = dOutput, dOther = α · dOutput.
  public func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>
  ) throws(ProblemError) -> (dInput: Tensor<Scalar>, dOther: Tensor<Scalar>) {
    try dOutput.require(problem.inputShape, as: "upstream/y")
    let alpha = Scalar(problem.alpha)
    return (dOutput, dOutput.map { alpha * $0 })
  }
}

extension ScaledAdd: Operation {
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
