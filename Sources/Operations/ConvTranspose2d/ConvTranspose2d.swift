import Problems
import Tensors

/// Two-dimensional transposed convolution, in groups of channels: the gradient of a convolution by its input.
///
///     y[n,k,p,q] = b[k] + Σ x[n,c,h,w] · w[c,k′,r,s]   over all c of the group of k, and all h, w, r, s that lead to (p, q):
///     p = h·stride + r·dilation − padding,  q = w·stride + s·dilation − padding
///
/// with k = g·K/G + k′ for the group g = ⌊c / (C/G)⌋. What leads elsewhere is cut off; what nothing leads to is b[k]. Output
/// padding moves no product, it only says how many rows and columns y has.
///
/// The backward pass is a convolution of dOutput, beyond whose border are zeros that take part: times an infinite weight (in
/// dInput) or an infinite input (in dWeight) they are NaN. The forward pass has no such term.
///
/// - Shapes: `x` (N, C, H, W); `weight` (C, K/G, R, S); `bias` (K); `y` (N, K, P, Q).
/// - Throws: ``Problems/ProblemError`` when a tensor does not have the problem's shape; nothing is computed then.
/// - Source: Dumoulin and Visin 2016, chapter 4; argument names after `torch.nn.ConvTranspose2d`.
public struct ConvTranspose2d: Sendable {
  public let problem: ConvTranspose2dProblem
  public init(_ problem: ConvTranspose2dProblem) { self.problem = problem }

  /// Visits every product of an input element with a weight: where the two stand, and where in y the product goes; `nil` where
  /// it is cut off.
  @inline(__always)
  func forEachProduct(_ visit: (_ x: Int, _ weight: Int, _ y: Int?) -> Void) {
    let (input, kernel, output) = (problem.inputSize, problem.kernelSize, problem.outputSize)
    let (stride, dilation, padding) = (problem.stride, problem.dilation, problem.padding)
    let channels = problem.inputChannels / problem.groups
    let kernels = problem.outputChannels / problem.groups
    for n in 0..<problem.batch {
      for c in 0..<problem.inputChannels {
        let image = (n * problem.inputChannels + c) * input.height * input.width
        for k in 0..<kernels {
          let filter = (c * kernels + k) * kernel.height * kernel.width
          let plane = (n * problem.outputChannels + c / channels * kernels + k) * output.height * output.width
          for r in 0..<kernel.height {
            for s in 0..<kernel.width {
              for h in 0..<input.height {
                let p = h * stride.height + r * dilation.height - padding.height
                for w in 0..<input.width {
                  let q = w * stride.width + s * dilation.width - padding.width
                  let isInside = p >= 0 && p < output.height && q >= 0 && q < output.width
                  visit(
                    image + h * input.width + w, filter + r * kernel.width + s,
                    isInside ? plane + p * output.width + q : nil)
                }
              }
            }
          }
        }
      }
    }
  }

  /// The output channel of an element of y.
  func channel(ofOutput element: Int) -> Int {
    element / (problem.outputSize.height * problem.outputSize.width) % problem.outputChannels
  }

  /// - Returns: `y`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, weight: Tensor<Scalar>, bias: Tensor<Scalar>? = nil
  ) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    try weight.require(problem.weightShape, as: "parameters/weight")
    try bias.require(Shape(problem.outputChannels), when: problem.hasBias, as: "parameters/bias")
    var y = Tensor<Scalar>(zeros: problem.outputShape)
    if let bias {
      for element in 0..<y.count { y.elements[element] = bias.elements[channel(ofOutput: element)] }
    }
    let (x, w) = (x.elements, weight.elements)
    forEachProduct { input, tap, output in
      if let output { y.elements[output] += x[input] * w[tap] }
    }
    return y
  }

  /// dInput[n,c,h,w] = Σ k′,r,s  w[c,k′,r,s] · dOutput[n,k,p,q], where dOutput is 0 beyond its border.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backwardInput<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, weight: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    try weight.require(problem.weightShape, as: "parameters/weight")
    var dInput = Tensor<Scalar>(zeros: problem.inputShape)
    let (dy, w) = (dOutput.elements, weight.elements)
    forEachProduct { input, tap, output in
      dInput.elements[input] += w[tap] * (output.map { dy[$0] } ?? 0)
    }
    return dInput
  }

  /// dWeight[c,k′,r,s] = Σ n,h,w  x[n,c,h,w] · dOutput[n,k,p,q], where dOutput is 0 beyond its border.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backwardWeight<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    try x.require(problem.inputShape, as: "inputs/x")
    var dWeight = Tensor<Scalar>(zeros: problem.weightShape)
    let (dy, x) = (dOutput.elements, x.elements)
    forEachProduct { input, tap, output in
      dWeight.elements[tap] += x[input] * (output.map { dy[$0] } ?? 0)
    }
    return dWeight
  }

  /// dBias[k] = Σ n,p,q  dOutput[n,k,p,q].
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backwardBias<Scalar: RealScalar>(_ dOutput: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    var dBias = Tensor<Scalar>(zeros: Shape(problem.outputChannels))
    for element in 0..<dOutput.count { dBias.elements[channel(ofOutput: element)] += dOutput.elements[element] }
    return dBias
  }
}

extension ConvTranspose2d: Operation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let (x, weight) = (try given.operand("x"), try given.operand("weight"))
    let dOutput = try given.cotangent(shape: problem.outputShape)
    var found = Found(y: given.wantsOutputs ? try forward(x, weight: weight, bias: given.operands["bias"]) : nil)
    guard let dOutput else { return found }
    if given.wantsGradient("x") { found.gradients["x"] = try backwardInput(dOutput, weight: weight) }
    if given.wantsGradient("weight") { found.gradients["weight"] = try backwardWeight(dOutput, x: x) }
    if problem.hasBias, given.wantsGradient("bias") { found.gradients["bias"] = try backwardBias(dOutput) }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["bias", "weight", "x"].filter(hasOperand)) }
  public var branches: Applicable<any Branching> { .none(because: "it is linear") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
