import Problems
import Tensors

/// Layer normalisation of a tensor over its last axes: each row, one index of the axes before them, on its own.
///
///     y[r,j] = γ[j] · (x[r,j] − μ[r]) / √(σ²[r] + ε) + β[j]
///
/// r goes over the leading axes and j over the trailing ones, of which the problem says how many there are.
///
/// - Shapes: `x`, `y` of any rank ≥ 1; γ = `weight` and β = `bias` of the trailing axes, each of which may be left out.
/// - The *biased* σ² normalises, in training and in evaluation alike. A row of one value gives β.
/// - Throws: ``ProblemError`` when a tensor has not the problem's shape; nothing is computed then.
/// - Source: Ba, Kiros and Hinton 2016, equations 3 and 4; argument names after `torch.nn.LayerNorm`.
public struct LayerNorm: Sendable {
  public let problem: LayerNormProblem
  public init(_ problem: LayerNormProblem) { self.problem = problem }

  /// The rows, each of which has all parameters once.
  var layout: NormalisedSlices {
    let size = problem.normalizedShape.count
    return NormalisedSlices(
      runCount: 1, count: problem.inputShape.dimensions.dropLast(problem.normalizedDims).reduce(1, *), runLength: size,
      parameterCount: size, parametersPerSlice: size)
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, weight: Tensor<Scalar>? = nil, bias: Tensor<Scalar>? = nil
  ) throws(ProblemError) -> Tensor<Scalar> {
    try bias.require(problem.affine.shape, when: problem.affine.hasBias, as: "parameters/bias")
    try require(x, weight: weight)
    return layout.forward(x, weight: weight, bias: bias, eps: problem.eps)
  }

  /// The gradients of Σ y·dOutput by `x`, `weight` and `bias`.
  ///
  ///     dγ[j] = Σ dy·x̂,   dβ[j] = Σ dy   over the rows
  ///     dx = (g − mean(g) − x̂·mean(g·x̂)) / √(σ² + ε),   g = γ[j]·dy,   means over the row
  ///
  /// γ differs within a row, so it stands inside the means.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>, weight: Tensor<Scalar>? = nil
  ) throws(ProblemError) -> (dInput: Tensor<Scalar>, dWeight: Tensor<Scalar>?, dBias: Tensor<Scalar>?) {
    try dOutput.require(problem.inputShape, as: "upstream/y")
    try require(x, weight: weight)
    let (dInput, dWeight, dBias) = layout.backward(dOutput, x: x, weight: weight, eps: problem.eps)
    return (
      dInput, problem.affine.hasWeight ? Tensor(shape: problem.affine.shape, elements: dWeight) : nil,
      problem.affine.hasBias ? Tensor(shape: problem.affine.shape, elements: dBias) : nil
    )
  }

  private func require<Scalar>(_ x: Tensor<Scalar>, weight: Tensor<Scalar>?) throws(ProblemError) {
    try x.require(problem.inputShape, as: "inputs/x")
    try weight.require(problem.affine.shape, when: problem.affine.hasWeight, as: "parameters/weight")
  }
}

extension LayerNorm: Operation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let (x, weight) = (try given.operand("x"), given.operands["weight"])
    let dOutput = try given.cotangent(shape: problem.inputShape)
    var found = Found(y: given.wantsOutputs ? try forward(x, weight: weight, bias: given.operands["bias"]) : nil)
    if let dOutput {
      let (dInput, dWeight, dBias) = try backward(dOutput, x: x, weight: weight)
      found.gradients["x"] = dInput
      found.gradients["weight"] = dWeight
      found.gradients["bias"] = dBias
    }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["bias", "weight", "x"].filter(hasOperand)) }
  public var branches: Applicable<any Branching> { .none(because: "it is smooth") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
