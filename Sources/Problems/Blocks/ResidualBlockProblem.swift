import Tensors

/// A residual block composed of stages: y = ReLU(stages(x) + shortcut(x)), an empty list being the identity.
///
/// Parameters are named by the position of their stage, those of the shortcut `shortcut.<position>`.
public struct ResidualBlockProblem: LayeredProblem {
  public static let operation = "residual_block"
  public static let attributeTokens: [AttributeToken] = [
    .list("stages", "stages", omitting: .strings([])), .list("shortcut", "shortcut", omitting: .strings([])),
    .flag("training", "training"),
  ]
  public let stages: [BlockStage]
  public let shortcut: [BlockStage]
  public let training: Bool
  public let plan: ResidualBlockPlan

  /// - Parameters:
  ///   - inputShape: (N, C, H, W).
  ///   - stages: the residual branch, in order.
  ///   - shortcut: the other branch; empty for the identity.
  ///   - training: whether batch norms use the batch's statistics.
  ///   - uncounted: batch norms (by name) that do not count their batches.
  /// - Throws: ``ProblemError`` when a stage does not fit, or the two sums differ in shape.
  public init(
    inputShape: Shape, stages: [BlockStage], shortcut: [BlockStage] = [], training: Bool = false,
    uncounted: Set<String> = []
  ) throws(ProblemError) {
    guard inputShape.rank == 4 else {
      throw ProblemError(.shapeMismatch, "inputs/x", expected: "rank 4", found: "shape \(inputShape)")
    }
    self.stages = stages
    self.shortcut = shortcut
    self.training = training
    var branch = LayerChain(from: inputShape, prefix: "", training: training)
    var side = LayerChain(from: inputShape, prefix: "shortcut.", training: training)
    branch.uncounted = uncounted
    side.uncounted = uncounted
    try branch.append(stages)
    try side.append(shortcut)
    plan = try ResidualBlockPlan(prefix: "", branch: branch, shortcut: side, from: inputShape, activation: "relu")
  }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let stages = try Self.stages(attributes.strings("stages", default: []))
    let shortcut = try Self.stages(attributes.strings("shortcut", default: []))
    try self.init(
      inputShape: operands.input(rank: 4), stages: stages, shortcut: shortcut,
      training: attributes.boolean("training", default: false), uncounted: operands.uncountedBatchNorms)
    try operands.require(layers)
  }

  private static func stages(_ texts: [String]) throws(ProblemError) -> [BlockStage] {
    var stages: [BlockStage] = []
    for text in texts { stages.append(try BlockStage(text: text)) }
    return stages
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let x = try ProblemText.shape(try text.requiredExtents("nchw"))
    let texts = ["stages", "shortcut"].map { key in
      text.peek(key)?.split(separator: ";").map { $0.split(separator: ",").joined(separator: " ") } ?? []
    }
    var operands = try Self(inputShape: x, stages: stages(texts[0]), shortcut: stages(texts[1])).layerOperands
    if text.flag("uncounted") { operands.removeCounters() }
    return operands
  }

  public var inputShape: Shape { plan.inputShape }
  public var layers: [NetworkLayer] { plan.layers }
  public var attributes: Attributes {
    Attributes([
      "stages": .strings(stages.map(\.text)), "shortcut": .strings(shortcut.map(\.text)),
      "training": .boolean(training),
    ])
  }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) + countingTokens }
  public var outputs: [String: TensorType] { ["y": TensorType(plan.outputShape)] }
}
