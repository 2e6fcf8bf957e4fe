import Problems
import Tensors

/// The sigmoid linear unit, element by element; also known as swish.
///
///     y = x·σ(x),   σ(x) = 1/(1 + e⁻ˣ),   y′ = σ(x) + x·σ(x)·(1 − σ(x))
///
/// A zero keeps its sign, NaN stays NaN. At −∞ both y and y′ are NaN (∞·0), and so is y′ at +∞, as in PyTorch.
///
/// - Shapes: any, the same for `x` and `y`.
/// - Throws: ``Problems/ProblemError`` when a tensor does not have the problem's shape.
/// - Source: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units", Neural Networks 107 (2018), arXiv:1702.03118;
///   Ramachandran, Zoph and Le, "Searching for activation functions", arXiv:1710.05941.
public struct SiLU: Sendable {
  public let problem: SiLUProblem
  public init(_ problem: SiLUProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    var y = x
    for i in y.elements.indices { y.elements[i] *= Logistic.value(x.elements[i]) }
    return y
  }

  /// dInput = dOutput·(σ(x) + x·σ′(x)).
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.inputShape, as: "upstream/y")
    try x.require(problem.inputShape, as: "inputs/x")
    var dInput = dOutput
    for i in dInput.elements.indices {
      let x = x.elements[i]
      dInput.elements[i] *= Logistic.value(x) + x * Logistic.slope(x)
    }
    return dInput
  }
}

extension SiLU: UnaryOperation {
  public var branches: Applicable<any Branching> { .none(because: "it is smooth") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
