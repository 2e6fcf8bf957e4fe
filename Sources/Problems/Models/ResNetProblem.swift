import Tensors

/// A whole residual network, with the mean cross-entropy of its logits where there is a target.
public struct ResNetProblem: LayeredProblem {
  public static let operation = "resnet"
  public static let attributeTokens: [AttributeToken] = [
    .string("arch", "architecture"), .integer("classes", "num_classes", omitting: .integer(1000)),
    .flag("training", "training"),
  ]
  public let architecture: ResNetArchitecture
  public let classCount: Int
  public let training: Bool
  public let hasTarget: Bool
  public let plan: NetworkPlan

  /// - Parameters:
  ///   - architecture: which network.
  ///   - inputShape: (N, 3, H, W).
  ///   - classCount: outputs of the classifier.
  ///   - training: whether batch norms use the batch's statistics.
  ///   - hasTarget: whether class indices are given and a loss is wanted.
  ///   - uncounted: batch norms (by name) that do not count their batches.
  /// - Throws: ``ProblemError`` when the image or the batch does not fit the network.
  public init(
    architecture: ResNetArchitecture, inputShape: Shape, classCount: Int = 1000, training: Bool = false,
    hasTarget: Bool = false, uncounted: Set<String> = []
  ) throws(ProblemError) {
    self.architecture = architecture
    self.classCount = classCount
    self.training = training
    self.hasTarget = hasTarget
    plan = try architecture.plan(
      inputShape: inputShape, classCount: classCount, training: training, uncounted: uncounted)
  }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let architecture = try ResNetArchitecture(named: attributes.string("architecture", default: nil))
    let x = try operands.input(rank: 4)
    let target = operands.inputs["target"]
    if let target {
      guard target.dtype == .int64 else {
        throw ProblemError(.unsupportedDType, "inputs/target", expected: "int64", found: target.dtype.rawValue)
      }
      guard target.shape == [x[0]] else {
        throw ProblemError(
          .shapeMismatch, "inputs/target", expected: "shape \(Shape(x[0]))", found: "shape \(target.shape)")
      }
    }
    try self.init(
      architecture: architecture, inputShape: x, classCount: attributes.integer("num_classes", default: 1000),
      training: attributes.boolean("training", default: false), hasTarget: target != nil,
      uncounted: operands.uncountedBatchNorms)
    try operands.require(layers)
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let x = try ProblemText.shape(try text.requiredExtents("nchw"))
    guard let name = text.peek("arch") else { throw text.failure("archresnet50 or another architecture", "") }
    let classes = text.peek("classes").flatMap { Int($0) } ?? 1000
    let problem = try Self(
      architecture: ResNetArchitecture(named: name), inputShape: x, classCount: classes,
      hasTarget: text.flag("target"))
    var operands = problem.operands
    if text.flag("uncounted") {
      operands.removeCounters()
    }
    return operands
  }

  /// The loss of the logits; `nil` without a target.
  public func loss() throws(ProblemError) -> CrossEntropyProblem? {
    guard hasTarget else { return nil }
    return try CrossEntropyProblem(batch: inputShape[0], classes: classCount)
  }

  public var inputShape: Shape { plan.inputShape }
  public var layers: [NetworkLayer] { plan.layers }
  public var attributes: Attributes {
    Attributes([
      "architecture": .string(architecture.name), "num_classes": .integer(classCount), "training": .boolean(training),
    ])
  }
  public var operands: Operands {
    var operands = layerOperands
    if hasTarget { operands.inputs["target"] = TensorType([inputShape[0]], .int64) }
    return operands
  }
  public var shapeTokens: [String] {
    ProblemText.tokens(for: inputShape) + (hasTarget ? ["target"] : []) + countingTokens
  }
  public var outputs: [String: TensorType] {
    var outputs = ["logits": TensorType(plan.logitsShape)]
    for (stage, shape) in plan.stageShapes.enumerated() { outputs["stage\(stage + 1)"] = TensorType(shape) }
    if hasTarget { outputs["loss"] = TensorType([]) }
    return outputs
  }
}
