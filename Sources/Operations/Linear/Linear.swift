import Problems
import Tensors

/// y = x·Wᵀ + b.
///
/// - Shapes: `x` (N, in); `weight` (out, in); `bias` (out); `y` (N, out).
/// - Throws: `ProblemError` when a tensor does not have the problem's shape.
/// - Source: argument names after `torch.nn.Linear`.
public struct Linear: Sendable {
  public let problem: LinearProblem
  public init(_ problem: LinearProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, weight: Tensor<Scalar>, bias: Tensor<Scalar>? = nil
  ) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    try weight.require(problem.weightShape, as: "parameters/weight")
    try bias.require(Shape(problem.outputFeatures), when: problem.hasBias, as: "parameters/bias")
    let (inputs, outputs) = (problem.inputFeatures, problem.outputFeatures)
    var y = Tensor<Scalar>(zeros: problem.outputShape)
    let (x, w) = (x.elements.span, weight.elements.span)
    for n in 0..<problem.batch {
      for o in 0..<outputs {
        let product = dot(x, at: n * inputs, w, at: o * inputs, count: inputs)
        y.elements[n * outputs + o] = bias.map { product + $0.elements[o] } ?? product
      }
    }
    return y
  }

  /// The gradients of Σ y·dOutput: dInput = dy·W, dWeight = dyᵀ·x, dBias = Σ n dy.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>, weight: Tensor<Scalar>
  ) throws(ProblemError) -> (dInput: Tensor<Scalar>, dWeight: Tensor<Scalar>, dBias: Tensor<Scalar>?) {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    try x.require(problem.inputShape, as: "inputs/x")
    try weight.require(problem.weightShape, as: "parameters/weight")
    let (inputs, outputs) = (problem.inputFeatures, problem.outputFeatures)
    var dInput = Tensor<Scalar>(zeros: problem.inputShape)
    var dWeight = Tensor<Scalar>(zeros: problem.weightShape)
    var dBias = Tensor<Scalar>(zeros: Shape(outputs))
    let (x, w) = (x.elements.span, weight.elements.span)
    var dx = dInput.elements.mutableSpan
    var dw = dWeight.elements.mutableSpan
    for n in 0..<problem.batch {
      for o in 0..<outputs {
        let dy = dOutput.elements[n * outputs + o]
        addMultiple(dy, w, at: o * inputs, to: &dx, at: n * inputs, count: inputs)
        addMultiple(dy, x, at: n * inputs, to: &dw, at: o * inputs, count: inputs)
        dBias.elements[o] += dy
      }
    }
    return (dInput, dWeight, problem.hasBias ? dBias : nil)
  }
}

extension Linear: Operation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let (x, weight) = (try given.operand("x"), try given.operand("weight"))
    let dOutput = try given.cotangent(shape: problem.outputShape)
    var found = Found(y: given.wantsOutputs ? try forward(x, weight: weight, bias: given.operands["bias"]) : nil)
    if let dOutput {
      let (dInput, dWeight, dBias) = try backward(dOutput, x: x, weight: weight)
      found.gradients = ["x": dInput, "weight": dWeight]
      found.gradients["bias"] = dBias
    }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["bias", "weight", "x"].filter(hasOperand)) }
  public var branches: Applicable<any Branching> { .none(because: "it is linear") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
