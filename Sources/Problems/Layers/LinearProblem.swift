import Tensors

/// y = x·Wᵀ + b for x (N, in) and W (out, in).
public struct LinearProblem: OperationProblem {
  public static let operation = "linear"
  public static let attributeTokens: [AttributeToken] = []
  public let batch: Int
  public let inputFeatures: Int
  public let outputFeatures: Int
  public let hasBias: Bool

  /// - Throws: ``ProblemError`` when a feature count is 0 or a tensor could not be addressed.
  public init(batch: Int, inputFeatures: Int, outputFeatures: Int, hasBias: Bool = true) throws(ProblemError) {
    guard batch >= 0, inputFeatures >= 1, outputFeatures >= 1,
      Shape(validating: [batch, inputFeatures]) != nil, Shape(validating: [batch, outputFeatures]) != nil,
      Shape(validating: [outputFeatures, inputFeatures]) != nil
    else {
      throw ProblemError(
        .shapeMismatch, "shape", expected: "at least one feature each way",
        found: "batch \(batch), in \(inputFeatures), out \(outputFeatures)")
    }
    self.batch = batch
    self.inputFeatures = inputFeatures
    self.outputFeatures = outputFeatures
    self.hasBias = hasBias
  }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let x = try operands.input(rank: 2)
    let weight = try operands.requiredParameter("weight", rank: 2)
    let bias = try operands.parameter("bias")
    guard weight[1] == x[1] else {
      throw ProblemError(
        .shapeMismatch, "parameters/weight", expected: "\(x[1]) input features, as inputs/x", found: "shape \(weight)")
    }
    try operands.requireVector(bias, count: weight[0], "parameters/bias")
    try self.init(batch: x[0], inputFeatures: x[1], outputFeatures: weight[0], hasBias: bias != nil)
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let x = try text.requiredExtents("nc")
    let k = try text.requiredExtents("k")
    var parameters = ["weight": TensorType(try ProblemText.shape([k[0], x[1]]))]
    if !text.flag("nobias") { parameters["bias"] = TensorType(try ProblemText.shape([k[0]])) }
    return Operands(inputs: ["x": TensorType(try ProblemText.shape(x))], parameters: parameters)
  }

  public var inputShape: Shape { Shape(batch, inputFeatures) }
  public var weightShape: Shape { Shape(outputFeatures, inputFeatures) }
  public var outputShape: Shape { Shape(batch, outputFeatures) }
  public var attributes: Attributes { Attributes() }
  public var operands: Operands {
    var parameters = ["weight": TensorType(weightShape)]
    if hasBias { parameters["bias"] = TensorType([outputFeatures]) }
    return Operands(inputs: ["x": TensorType(inputShape)], parameters: parameters)
  }
  public var shapeTokens: [String] {
    ["n\(batch)c\(inputFeatures)", "k\(outputFeatures)"] + (hasBias ? [] : ["nobias"])
  }
  public var outputs: [String: TensorType] { ["y": TensorType(outputShape)] }
  public var multiplyAccumulates: Int { work.value }
  public var work: SaturatingCount { .product(batch, inputFeatures, outputFeatures) }
  public var scratchElements: SaturatingCount { 0 }
}
