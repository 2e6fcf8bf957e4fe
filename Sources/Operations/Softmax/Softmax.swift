import Problems
import Tensors

/// Softmax over axis 1.
///
///     y[n,c,…] = exp(x[n,c,…] − m) / Σ c′ exp(x[n,c′,…] − m),   m = max c′ x[n,c′,…]
///
/// The shift by the maximum changes nothing but the overflow.
///
/// - Shapes: any of rank ≥ 2, the same for `x` and `y`.
/// - Throws: ``Problems/ProblemError`` when a tensor does not have the problem's shape.
public struct Softmax: Sendable {
  public let problem: SoftmaxProblem
  public init(_ problem: SoftmaxProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    var y = x
    for line in ClassLines(problem.inputShape) {
      let largest = line.maximum(of: x)
      var sum: Scalar = 0
      for i in line.positions {
        y.elements[i] = .exp(x.elements[i] - largest)
        sum += y.elements[i]
      }
      for i in line.positions { y.elements[i] /= sum }
    }
    return y
  }

  /// dInput = y·(dOutput − Σ dOutput·y).
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.inputShape, as: "upstream/y")
    let y = try forward(x)
    var dInput = dOutput
    for line in ClassLines(problem.inputShape) {
      var sum: Scalar = 0
      for i in line.positions { sum += dOutput.elements[i] * y.elements[i] }
      for i in line.positions { dInput.elements[i] = y.elements[i] * (dOutput.elements[i] - sum) }
    }
    return dInput
  }
}

extension Softmax: UnaryOperation {
  public var branches: Applicable<any Branching> { .none(because: "it is smooth") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
