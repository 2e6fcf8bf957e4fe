import Problems
import Tensors

/// A normalisation of slices by their own statistics, in training and evaluation alike: group and layer normalisation, which differ in
/// their slices alone.
public protocol SliceNormalisation: Operation where Asked: AffineNormProblem {
  /// Which elements are normalised together.
  var layout: NormalisedSlices { get }
}

extension SliceNormalisation {
  /// y = γ·x̂ + β.
  /// - Throws: ``Problems/ProblemError`` when a tensor does not have the problem's shape.
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, weight: Tensor<Scalar>? = nil, bias: Tensor<Scalar>? = nil
  ) throws(ProblemError) -> Tensor<Scalar> {
    try bias.require(problem.affine.shape, when: problem.affine.hasBias, as: "parameters/bias")
    try require(x, weight: weight)
    return layout.forward(x, weight: weight, bias: bias, eps: problem.eps)
  }

  /// The gradients of Σ y·dOutput by `x`, `weight` and `bias`.
  /// - Throws: ``Problems/ProblemError`` when a tensor does not have the problem's shape.
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
