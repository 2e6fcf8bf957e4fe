import Problems
import Tensors

/// Softmax over axis 1.
///
///     y[n,c,…] = exp(x[n,c,…] − m) / Σ c′ exp(x[n,c′,…] − m),   m = max c′ x[n,c′,…]
///
/// The shift by the maximum changes nothing but the overflow.
///
/// - Shapes: any of rank ≥ 2, the same for `x` and `y`.
/// - Throws: `ProblemError` when a tensor does not have the problem's shape.
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

/// The logarithm of the softmax over axis 1.
///
///     y[n,c,…] = x[n,c,…] − m − log Σ c′ exp(x[n,c′,…] − m),   m = max c′ x[n,c′,…]
///
/// - Shapes: any of rank ≥ 2, the same for `x` and `y`.
/// - Throws: `ProblemError` when a tensor does not have the problem's shape.
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

/// The lines along axis 1 of a tensor, one for each image and inner position.
private struct ClassLines: Sequence, IteratorProtocol {
  struct Line {
    let positions: StrideTo<Int>

    /// The largest value, NaN left aside (it comes back through the sum).
    func maximum<Scalar: RealScalar>(of x: Tensor<Scalar>) -> Scalar {
      var largest = -Scalar.infinity
      for i in positions where x.elements[i] > largest { largest = x.elements[i] }
      return largest
    }
  }

  private let classes: Int
  private let inner: Int
  private let count: Int
  private var position = 0

  /// - Requires: rank ≥ 2.
  init(_ shape: Shape) {
    classes = shape[1]
    inner = shape.dimensions.dropFirst(2).reduce(1, *)
    count = classes == 0 ? 0 : shape[0] * inner
  }

  mutating func next() -> Line? {
    guard position < count else { return nil }
    let first = position / inner * classes * inner + position % inner
    position += 1
    return Line(positions: stride(from: first, to: first + classes * inner, by: inner))
  }
}
