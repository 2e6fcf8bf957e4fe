import Tensors

/// Some steps of an optimiser on one parameter `p`, whose gradients are given.
public protocol OptimizerStepProblem: OperationProblem {
  var parameterShape: Shape { get }
  var stepCount: Int { get }
  var options: OptimizerOptions { get }
  /// The number of the first step, from 1.
  var firstStep: Int { get }
}

extension OptimizerStepProblem {
  var gradientsShape: Shape { Shape([stepCount] + parameterShape.dimensions) }

  public var work: SaturatingCount { gradientsShape.elements }
  /// The state, and for the bound what each step adds to it.
  public var scratchElements: SaturatingCount { 4 * gradientsShape.elements }

  static func shapes(_ operands: Operands) throws(ProblemError) -> (parameter: Shape, steps: Int) {
    let p = try operands.requiredParameter("p")
    let gradients = try operands.input("gradients")
    guard gradients.rank == p.rank + 1, Array(gradients.dimensions.dropFirst()) == p.dimensions else {
      throw ProblemError(
        .shapeMismatch, "inputs/gradients", expected: "shape (steps, \(p)), as parameters/p",
        found: "shape \(gradients)")
    }
    return (p, gradients[0])
  }

  static func stepOperands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let p = try text.anyShape()
    let steps = try text.requiredExtents("t")[0]
    let gradients = try ProblemText.shape([steps] + p.dimensions)
    return Operands(inputs: ["gradients": TensorType(gradients)], parameters: ["p": TensorType(p)])
  }
}

/// The steps of `torch.optim.SGD` on one parameter.
public struct SGDStepProblem: OptimizerStepProblem {
  public static let operation = "sgd_step"
  public static let attributeTokens = SGDOptions.tokens
  public let parameterShape: Shape
  public let stepCount: Int
  public let sgd: SGDOptions
  public var options: OptimizerOptions { .sgd(sgd) }
  public var firstStep: Int { 1 }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    (parameterShape, stepCount) = try Self.shapes(operands)
    sgd = try SGDOptions(attributes)
  }
  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    try stepOperands(from: &text)
  }
  public var attributes: Attributes { sgd.attributes }
  public var operands: Operands {
    Operands(inputs: ["gradients": TensorType(gradientsShape)], parameters: ["p": TensorType(parameterShape)])
  }
  public var shapeTokens: [String] { ProblemText.tokens(for: parameterShape) + ["t\(stepCount)"] }
  public var outputs: [String: TensorType] {
    var outputs = ["trajectory": TensorType(gradientsShape)]
    if sgd.momentum != 0 { outputs["momentum_buffer"] = TensorType(parameterShape) }
    return outputs
  }
}
