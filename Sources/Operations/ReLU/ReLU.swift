import Problems
import Tensors

/// y = max(0, x), element by element. NaN stays NaN, and a zero keeps its sign.
///
/// - Shapes: any, the same for `x` and `y`.
/// - Throws: `ProblemError` when a tensor does not have the problem's shape.
/// - Source: PyTorch's convention for the derivative at 0, which is 0.
public struct ReLU: Sendable {
  public let problem: ReLUProblem
  public init(_ problem: ReLUProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    var y = x
    var span = y.elements.mutableSpan
    // 0·x rather than 0 or x: NaN stays, and a dual number's derivative at 0 is that of the convention.
    for i in 0..<span.count { span[i] = span[i] > 0 ? span[i] : span[i] < 0 ? 0 : 0 * span[i] }
    return y
  }

  /// dInput = dOutput where x > 0 (or NaN), 0 elsewhere.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.inputShape, as: "upstream/y")
    try x.require(problem.inputShape, as: "inputs/x")
    var dInput = dOutput
    var span = dInput.elements.mutableSpan
    let x = x.elements.span
    for i in 0..<span.count where x[i] <= 0 { span[i] = 0 }
    return dInput
  }

  /// The same map with the gates given instead of decided by x: linear, so that derivatives of a whole network can be
  /// compared although float32 and float64 would decide a few gates differently.
  /// - Requires: as many gates as elements.
  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>, gates: [Bool]) -> Tensor<Scalar> {
    precondition(gates.count == x.count, "\(gates.count) gates for \(x.count) values")
    var y = x
    for i in gates.indices where !gates[i] { y.elements[i] = 0 }
    return y
  }
}

extension ReLU: Operation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let x = try given.operand("x")
    let dOutput = try given.cotangent(shape: problem.inputShape)
    var found = Found<Scalar>()
    if case .open(let open) = given.gate {
      guard open.count == x.count else {
        throw ProblemError(.shapeMismatch, "gates", expected: "\(x.count) gates", found: "\(open.count)")
      }
      if given.wantsOutputs { found.outputs["y"] = forward(x, gates: open) }
      if let dOutput { found.gradients["x"] = forward(dOutput, gates: open) }
      found.gate = given.gate
      return found
    }
    if given.wantsOutputs { found.outputs["y"] = try forward(x) }
    if let dOutput { found.gradients["x"] = try backward(dOutput, x: x) }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["x"]) }
  public var branches: Applicable<any Branching> { .some(self) }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}

extension ReLU: Branching {
  public func gate<Scalar: RealScalar>(at x: Tensor<Scalar>) -> Gate? { .open(x.elements.map { !($0 <= 0) }) }

  public func flipped(_ gate: Gate, at x: Tensor<Double>, reach: [Double]) -> (gate: Gate, flips: Int) {
    guard case .open(var open) = gate else { return (gate, 0) }
    var flips = 0
    for i in open.indices where abs(x.elements[i]) <= reach[i] && reach[i] > 0 {
      open[i].toggle()
      flips += 1
    }
    return (.open(open), flips)
  }
}
