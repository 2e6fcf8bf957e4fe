import Problems
import Tensors

/// The logarithm of the softmax over axis 1.
///
///     y[n,c,…] = x[n,c,…] − m − log Σ c′ exp(x[n,c′,…] − m),   m = max c′ x[n,c′,…]
///
/// - Shapes: any of rank ≥ 2, the same for `x` and `y`.
/// - Throws: ``Problems/ProblemError`` when a tensor does not have the problem's shape.
public struct LogSoftmax: Sendable {
  public let problem: LogSoftmaxProblem
  public init(_ problem: LogSoftmaxProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    var y = x
    for line in ClassLines(problem.inputShape) {
      let largest = line.maximum(of: x)
      var sum: Scalar = 0
      for i in line.positions { sum += .exp(x.elements[i] - largest) }
      let logarithm = Scalar.log(sum)
      for i in line.positions { y.elements[i] = x.elements[i] - largest - logarithm }
    }
    return y
  }

  /// dInput = dOutput − exp(y)·Σ dOutput.
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
      for i in line.positions { sum += dOutput.elements[i] }
      for i in line.positions { dInput.elements[i] = dOutput.elements[i] - .exp(y.elements[i]) * sum }
    }
    return dInput
  }
}

extension LogSoftmax: UnaryOperation {
  public var branches: Applicable<any Branching> { .none(because: "it is smooth") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
