import Tensors

/// Cross-entropy of logits (N, C) against class indices (N) or class probabilities (N, C), as `torch.nn.CrossEntropyLoss`.
///
/// That each index is a class (or `ignoreIndex`) depends on data: whoever computes checks it, and answers
/// `index_out_of_range`.
public struct CrossEntropyProblem: OperationProblem {
  public enum Reduction: String, Hashable, Sendable, CaseIterable { case mean, sum, none }

  public static let operation = "cross_entropy"
  public static let attributeTokens: [AttributeToken] = [
    .string("reduction", "reduction", omitting: .string("mean")),
    .integer("ignore", "ignore_index", omitting: .integer(-100)),
    .real("smoothing", "label_smoothing", omitting: .real(0)),
  ]
  public let batch: Int
  public let classes: Int
  public let reduction: Reduction
  public let ignoreIndex: Int
  public let labelSmoothing: Double
  public let hasProbabilityTargets: Bool
  public let hasClassWeights: Bool

  /// - Throws: ``ProblemError`` for no class, or a smoothing outside [0, 1].
  public init(
    batch: Int, classes: Int, reduction: Reduction = .mean, ignoreIndex: Int = -100, labelSmoothing: Double = 0,
    hasProbabilityTargets: Bool = false, hasClassWeights: Bool = false
  ) throws(ProblemError) {
    guard batch >= 0, classes >= 1, Shape(validating: [batch, classes]) != nil else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "shape (N, C) with C ≥ 1", found: "\(batch)×\(classes)")
    }
    guard labelSmoothing >= 0, labelSmoothing <= 1 else {
      throw ProblemError(.invalidArgument, "label_smoothing", expected: "0 to 1", found: "\(labelSmoothing)")
    }
    self.batch = batch
    self.classes = classes
    self.reduction = reduction
    self.ignoreIndex = ignoreIndex
    self.labelSmoothing = labelSmoothing
    self.hasProbabilityTargets = hasProbabilityTargets
    self.hasClassWeights = hasClassWeights
  }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let x = try operands.input(rank: 2)
    guard let target = operands.inputs["target"] else {
      throw ProblemError(.shapeMismatch, "inputs/target", expected: "a tensor", found: "none")
    }
    let probabilities = target.shape.rank == 2
    guard target.shape == (probabilities ? x : [x[0]]) else {
      throw ProblemError(
        .shapeMismatch, "inputs/target", expected: "shape \(Shape(x[0])) (indices) or \(x) (probabilities)",
        found: "shape \(target.shape)")
    }
    guard (target.dtype == .int64) == !probabilities else {
      throw ProblemError(
        .unsupportedDType, "inputs/target", expected: probabilities ? "floats for probabilities" : "int64 for indices",
        found: target.dtype.rawValue)
    }
    let weight = try operands.parameter("weight")
    try operands.requireVector(weight, count: x[1], "parameters/weight")
    try self.init(
      batch: x[0], classes: x[1], reduction: attributes.choice("reduction", default: .mean),
      ignoreIndex: attributes.integer("ignore_index", default: -100),
      labelSmoothing: attributes.real("label_smoothing", default: 0), hasProbabilityTargets: probabilities,
      hasClassWeights: weight != nil)
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let x = try ProblemText.shape(try text.requiredExtents("nc"))
    let target = text.flag("probabilities") ? TensorType(x) : TensorType([x[0]], .int64)
    return Operands(
      inputs: ["x": TensorType(x), "target": target],
      parameters: text.flag("weighted") ? ["weight": TensorType([x[1]])] : [:])
  }

  public var inputShape: Shape { Shape(batch, classes) }
  public var attributes: Attributes {
    Attributes([
      "reduction": .string(reduction.rawValue), "ignore_index": .integer(ignoreIndex),
      "label_smoothing": .real(labelSmoothing),
    ])
  }
  public var operands: Operands {
    let target = hasProbabilityTargets ? TensorType(inputShape) : TensorType([batch], .int64)
    return Operands(
      inputs: ["x": TensorType(inputShape), "target": target],
      parameters: hasClassWeights ? ["weight": TensorType([classes])] : [:])
  }
  public var shapeTokens: [String] {
    ["n\(batch)c\(classes)"] + (hasProbabilityTargets ? ["probabilities"] : []) + (hasClassWeights ? ["weighted"] : [])
  }
  /// (N) without a reduction, a scalar with one.
  public var lossShape: Shape { reduction == .none ? [batch] : [] }
  public var outputs: [String: TensorType] { ["loss": TensorType(lossShape)] }
  public var work: SaturatingCount { 4 * inputShape.elements }
  /// Logarithms of the softmax, and for the bound their errors and sizes.
  public var scratchElements: SaturatingCount { 4 * inputShape.elements }
}
