import Tensors

/// torchvision's `BasicBlock`: two 3×3 convolutions and a shortcut.
public struct BasicBlockProblem: LayeredProblem {
  public static let operation = "basic_block"
  public static let attributeTokens = ResidualBlockPlan.Options.tokens
  public let planes: Int
  public let options: ResidualBlockPlan.Options
  public let plan: ResidualBlockPlan

  /// - Throws: ``ProblemError`` for every combination that has no result.
  public init(inputShape: Shape, planes: Int, options: ResidualBlockPlan.Options = .init()) throws(ProblemError) {
    self.planes = planes
    self.options = options
    plan = try .basic(inputShape: inputShape, planes: planes, options)
  }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let options = try ResidualBlockPlan.Options(attributes, operands)
    let x = try operands.input(rank: 4)
    try self.init(inputShape: x, planes: operands.requiredParameter("conv2.weight", rank: 4)[0], options: options)
    try operands.require(layers)
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let (x, planes, options) = try ResidualBlockPlan.Options.read(from: &text)
    var operands = try Self(inputShape: x, planes: planes, options: options).layerOperands
    if text.flag("uncounted") { operands.removeCounters() }
    return operands
  }

  public var inputShape: Shape { plan.inputShape }
  public var training: Bool { options.training }
  public var layers: [NetworkLayer] { plan.layers }
  public var attributes: Attributes { options.attributes }
  public var shapeTokens: [String] {
    ProblemText.tokens(for: inputShape) + ["k\(planes)"] + (options.projects ? ["projection"] : []) + countingTokens
  }
  public var outputs: [String: TensorType] { ["y": TensorType(plan.outputShape)] }
}
