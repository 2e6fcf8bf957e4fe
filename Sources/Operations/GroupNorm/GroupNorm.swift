import Problems
import Tensors

/// Group normalisation of an N×C×… tensor: over C/G neighbouring channels and all later axes, for each image and group on its own.
///
///     y[n,c,…] = γ[c] · (x[n,c,…] − μ[n,g]) / √(σ²[n,g] + ε) + β[c],   g = ⌊c / (C/G)⌋
///
/// With one group it is layer normalisation of an image but for its γ and β, with C groups instance normalisation.
///
/// - Shapes: `x`, `y` (N, C, …) of rank ≥ 2; γ = `weight` and β = `bias` (C), each of which may be left out.
/// - The *biased* σ² normalises, in training and in evaluation alike. A group of one value gives β.
/// - Throws: ``ProblemError`` when a tensor has not the problem's shape; nothing is computed then.
/// - Source: Wu and He 2018, equations 1, 2 and 7; argument names after `torch.nn.GroupNorm`.
public struct GroupNorm: Sendable {
  public let problem: GroupNormProblem
  public init(_ problem: GroupNormProblem) { self.problem = problem }

  /// The groups: image by image, in each as many as there are, with C/G parameters each.
  var layout: NormalisedSlices {
    let plane = problem.inputShape.dimensions.dropFirst(2).reduce(1, *)
    return NormalisedSlices(
      runCount: 1, count: problem.inputShape[0] * problem.numGroups, runLength: problem.channelsPerGroup * plane,
      parameterCount: problem.channels, parametersPerSlice: problem.channelsPerGroup)
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
  ///     dγ[c] = Σ dy·x̂,   dβ[c] = Σ dy   over the images and later axes
  ///     dx = (g − mean(g) − x̂·mean(g·x̂)) / √(σ² + ε),   g = γ[c]·dy,   means over the group
  ///
  /// γ differs within a group, so it stands inside the means.
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

extension GroupNorm: Operation {
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
