import Problems
import Tensors

/// The Gaussian error linear unit, element by element: x times the probability that a normal variable lies below x.
///
///     none:  y = x·Φ(x),    Φ(x) = ½·erfc(−x/√2),         y′ = Φ(x) + x·φ(x),   φ(x) = e^(−x²/2)/√(2π)
///     tanh:  y = x·σ(2s),   s = √(2/π)·(x + 0.044715·x³),  y′ = σ(2s) + x·σ′(2s)·2s′
///
/// The second is ½·x·(1 + tanh s), since ½(1 + tanh s) = σ(2s), the logistic function. Neither form subtracts, so that the
/// negative tail keeps its digits.
///
/// A zero keeps its sign, NaN stays NaN. At −∞ both y and y′ are NaN (∞·0), and so is y′ at +∞, as in PyTorch.
///
/// - Shapes: any, the same for `x` and `y`.
/// - Throws: ``Problems/ProblemError`` when a tensor does not have the problem's shape.
/// - Source: Hendrycks and Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415.
public struct GELU: Sendable {
  public let problem: GELUProblem
  public init(_ problem: GELUProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    var y = x
    switch problem.approximation {
    case .none: for i in y.elements.indices { y.elements[i] *= NormalGate.value(x.elements[i]) }
    case .tanh: for i in y.elements.indices { y.elements[i] *= CubicGate.value(x.elements[i]) }
    }
    return y
  }

  /// dInput = dOutput·y′(x).
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
      switch problem.approximation {
      case .none: dInput.elements[i] *= NormalGate.value(x) + NormalGate.product(x)
      case .tanh: dInput.elements[i] *= CubicGate.value(x) + CubicGate.product(x)
      }
    }
    return dInput
  }
}

extension GELU: UnaryOperation {
  public var branches: Applicable<any Branching> { .none(because: "it is smooth") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
