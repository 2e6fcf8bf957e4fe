import Tensors

/// Some mini-batches of training a network, and its logits on the first batch afterwards.
///
/// That each row number is a row and each label a class depends on data: whoever computes checks it, and answers
/// `index_out_of_range`.
public struct TrainingRunProblem: OperationProblem {
  public static let operation = "training_run"
  public static let attributeTokens: [AttributeToken] =
    [
      .string("arch", "architecture"), .integer("classes", "num_classes", omitting: .integer(1000)),
      .string("optimizer", "optimizer"), .real("betas", "betas"), .real("eps", "eps"), .flag("amsgrad", "amsgrad"),
    ] + SGDOptions.tokens
  public let imagesShape: Shape
  public let stepCount: Int
  public let architecture: ResNetArchitecture
  public let classCount: Int
  public let optimizer: OptimizerOptions
  /// For one mini-batch: training, and evaluation.
  public let trainingPlan: NetworkPlan
  public let evaluationPlan: NetworkPlan

  public var batch: Int { trainingPlan.inputShape[0] }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    imagesShape = try operands.input("images", rank: 4)
    architecture = try ResNetArchitecture(named: attributes.string("architecture", default: nil))
    classCount = try attributes.integer("num_classes", default: 1000)
    optimizer = try OptimizerOptions(name: attributes.string("optimizer", default: nil), attributes: attributes)
    let labels = try Self.integers(operands, "labels", rank: 1)
    let batches = try Self.integers(operands, "batches", rank: 2)
    guard labels[0] == imagesShape[0] else {
      throw ProblemError(
        .shapeMismatch, "inputs/labels", expected: "\(imagesShape[0]) labels, one for each image",
        found: "\(labels[0])")
    }
    guard batches[0] >= 1 else {
      throw ProblemError(.shapeMismatch, "inputs/batches", expected: "at least one step", found: "shape \(batches)")
    }
    stepCount = batches[0]
    let shape = try Self.batchShape(batches, of: imagesShape)
    let uncounted = operands.uncountedBatchNorms
    trainingPlan = try architecture.plan(
      inputShape: shape, classCount: classCount, training: true, uncounted: uncounted)
    evaluationPlan = try architecture.plan(
      inputShape: shape, classCount: classCount, training: false, uncounted: uncounted)
    try operands.require(trainingPlan.layers)
  }

  private static func integers(_ operands: Operands, _ name: String, rank: Int) throws(ProblemError) -> Shape {
    guard let type = operands.inputs[name] else {
      throw ProblemError(.shapeMismatch, "inputs/\(name)", expected: "a tensor", found: "none")
    }
    guard type.dtype == .int64 else {
      throw ProblemError(.unsupportedDType, "inputs/\(name)", expected: "int64", found: type.dtype.rawValue)
    }
    guard type.shape.rank == rank else {
      throw ProblemError(.shapeMismatch, "inputs/\(name)", expected: "rank \(rank)", found: "shape \(type.shape)")
    }
    return type.shape
  }

  /// One mini-batch of the images.
  private static func batchShape(_ batches: Shape, of images: Shape) throws(ProblemError) -> Shape {
    guard let shape = Shape(validating: [batches[1]] + images.dimensions.dropFirst()) else {
      throw ProblemError(
        .invalidArgument, "inputs/batches", expected: "a mini-batch that can be addressed", found: "shape \(batches)")
    }
    return shape
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let images = try ProblemText.shape(try text.requiredExtents("nchw"))
    let batches = try ProblemText.shape(try text.requiredExtents("tb"))
    guard let name = text.peek("arch") else { throw text.failure("archsimple_resnet or another architecture", "") }
    let shape = try batchShape(batches, of: images)
    let problem = try ResNetProblem(
      architecture: ResNetArchitecture(named: name), inputShape: shape,
      classCount: text.peek("classes").flatMap { Int($0) } ?? 1000, training: true)
    var operands = problem.operands
    operands.inputs = [
      "images": TensorType(images), "labels": TensorType([images[0]], .int64), "batches": TensorType(batches, .int64),
    ]
    return operands
  }

  public var attributes: Attributes {
    var attributes = optimizer.attributes
    attributes["architecture"] = .string(architecture.name)
    attributes["num_classes"] = .integer(classCount)
    attributes["optimizer"] = .string(optimizer.name)
    return attributes
  }
  public var operands: Operands {
    var operands = Operands(inputs: [
      "images": TensorType(imagesShape), "labels": TensorType([imagesShape[0]], .int64),
      "batches": TensorType([stepCount, batch], .int64),
    ])
    operands.add(trainingPlan.layers)
    return operands
  }
  public var shapeTokens: [String] { ProblemText.tokens(for: imagesShape) + ["t\(stepCount)b\(batch)"] }
  public var outputs: [String: TensorType] {
    ["loss": TensorType([stepCount]), "logits": TensorType([batch, classCount])]
  }
  /// Forward passes alone.
  public var multiplyAccumulates: Int { (SaturatingCount(stepCount) * trainingPlan.layers.multiplyAccumulates).value }
  /// Each step goes forward and backward, which is three times the work.
  public var work: SaturatingCount { SaturatingCount(stepCount) * 3 * trainingPlan.layers.work }
  public var scratchElements: SaturatingCount { trainingPlan.layers.scratchElements }
}
