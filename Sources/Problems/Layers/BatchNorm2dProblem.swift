import Tensors

/// Batch normalisation of N×C×H×W over N, H and W.
public struct BatchNorm2dProblem: OperationProblem {
  public let inputShape: Shape
  public let training: Bool
  /// `nil`: a cumulative average over all batches so far (NaN in the golden format).
  public let momentum: Double?
  public let eps: Double
  public let hasWeight: Bool
  public let hasBias: Bool
  /// Whether running statistics are kept; without them evaluation too normalises by the batch's.
  public let tracksRunningStatistics: Bool
  public let countsBatches: Bool

  /// - Throws: ``ProblemError`` when the input is not of rank 4, or a training batch has one value a channel.
  public init(
    inputShape: Shape, training: Bool = false, momentum: Double? = 0.1, eps: Double = 1e-5, hasWeight: Bool = true,
    hasBias: Bool = true, tracksRunningStatistics: Bool = true, countsBatches: Bool = false
  ) throws(ProblemError) {
    guard inputShape.rank == 4, inputShape[1] >= 1 else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "rank 4 with at least one channel", found: "shape \(inputShape)")
    }
    let values = inputShape[0] * inputShape[2] * inputShape[3]
    if training || !tracksRunningStatistics, values == 1 {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "more than one value a channel, to have a variance in training",
        found: "shape \(inputShape)")
    }
    if training, values == 0 {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "at least two values a channel in training", found: "shape \(inputShape)")
    }
    guard eps >= 0, eps.isFinite else {
      throw ProblemError(.invalidArgument, "eps", expected: "a finite number ≥ 0", found: "\(eps)")
    }
    self.inputShape = inputShape
    self.training = training
    self.momentum = momentum
    self.eps = eps
    self.hasWeight = hasWeight
    self.hasBias = hasBias
    self.tracksRunningStatistics = tracksRunningStatistics
    self.countsBatches = countsBatches
  }

  public var channels: Int { inputShape[1] }
  private var affine: AffineParameters {
    AffineParameters(shape: Shape(channels), hasWeight: hasWeight, hasBias: hasBias)
  }
  /// Whether the batch's own statistics normalise.
  public var usesBatchStatistics: Bool { training || !tracksRunningStatistics }
  /// Whether the running statistics change.
  public var updatesRunningStatistics: Bool { training && tracksRunningStatistics }
}

extension BatchNorm2dProblem {
  public static let operation = "batch_norm2d"
  public static let attributeTokens: [AttributeToken] = [
    .flag("training", "training"), .real("momentum", "momentum", omitting: .real(0.1)),
    .real("eps", "eps", omitting: .real(1e-5)),
  ]

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let x = try operands.input(rank: 4)
    let affine = try AffineParameters(in: operands, shape: Shape(x[1]))
    let mean = try operands.buffer("running_mean")
    let variance = try operands.buffer("running_var")
    try operands.requireVector(mean, count: x[1], "buffers/running_mean")
    try operands.requireVector(variance, count: x[1], "buffers/running_var")
    guard (mean == nil) == (variance == nil) else {
      throw ProblemError(
        .shapeMismatch, "buffers", expected: "running_mean and running_var, or neither",
        found: mean == nil ? "running_var alone" : "running_mean alone")
    }
    let momentum = try attributes.real("momentum", default: 0.1)
    try self.init(
      inputShape: x, training: attributes.boolean("training", default: false),
      momentum: momentum.isNaN ? nil : momentum, eps: attributes.real("eps", default: 1e-5),
      hasWeight: affine.hasWeight, hasBias: affine.hasBias, tracksRunningStatistics: mean != nil,
      countsBatches: operands.counter("num_batches_tracked"))
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let x = try ProblemText.shape(try text.requiredExtents("nchw"))
    let vector = TensorType([x[1]])
    var operands = Operands(
      inputs: ["x": TensorType(x)], parameters: AffineParameters(from: &text, shape: Shape(x[1])).parameters)
    if !text.flag("norunning") { operands.buffers = ["running_mean": vector, "running_var": vector] }
    if text.flag("counted") { operands.buffers["num_batches_tracked"] = TensorType([], .int64) }
    return operands
  }

  public var attributes: Attributes {
    Attributes(["training": .boolean(training), "momentum": .real(momentum ?? .nan), "eps": .real(eps)])
  }

  public var operands: Operands {
    let vector = TensorType([channels])
    var operands = Operands(inputs: ["x": TensorType(inputShape)], parameters: affine.parameters)
    if tracksRunningStatistics { operands.buffers = ["running_mean": vector, "running_var": vector] }
    if countsBatches { operands.buffers["num_batches_tracked"] = TensorType([], .int64) }
    return operands
  }

  public var shapeTokens: [String] {
    var tokens = ProblemText.tokens(for: inputShape) + affine.tokens
    if !tracksRunningStatistics { tokens.append("norunning") }
    if countsBatches { tokens.append("counted") }
    return tokens
  }

  public var outputs: [String: TensorType] { ["y": TensorType(inputShape)] }
  /// Statistics, then the values.
  public var work: SaturatingCount { 3 * inputShape.elements }
  public var scratchElements: SaturatingCount { inputShape.elements }
}
