import Tensors

/// Two-dimensional transposed convolution of N×C×H×W with C×(K/groups)×R×S: what a convolution's backward pass does to a
/// cotangent.
public struct ConvTranspose2dProblem: OperationProblem {
  public let batch: Int
  public let inputChannels: Int
  public let inputSize: Pair
  public let outputChannels: Int
  public let kernelSize: Pair
  public let stride: Pair
  /// Rows and columns that are cut off each side of the output.
  public let padding: Pair
  /// Rows and columns more at the output's end: of the sizes that the same convolution shrinks to x's, which is meant.
  public let outputPadding: Pair
  public let dilation: Pair
  public let groups: Int
  public let hasBias: Bool

  /// - Throws: ``ProblemError`` for every combination that has no result.
  public init(
    batch: Int, inputChannels: Int, inputSize: Pair, outputChannels: Int, kernelSize: Pair, stride: Pair = 1,
    padding: Pair = 0, outputPadding: Pair = 0, dilation: Pair = 1, groups: Int = 1, hasBias: Bool = false
  ) throws(ProblemError) {
    self.batch = batch
    self.inputChannels = inputChannels
    self.inputSize = inputSize
    self.outputChannels = outputChannels
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.groups = groups
    self.hasBias = hasBias
    try validateArguments()
    try validateShapes()
  }

  private func validateArguments() throws(ProblemError) {
    try stride.require(atLeast: 1, "stride")
    try dilation.require(atLeast: 1, "dilation")
    try padding.require(atLeast: 0, "padding")
    try outputPadding.require(atLeast: 0, "output_padding")
    try kernelSize.require(atLeast: 1, "kernel_size")
    let limit = Pair(max(stride.height, dilation.height), max(stride.width, dilation.width))
    guard outputPadding.height < limit.height, outputPadding.width < limit.width else {
      throw ProblemError(
        .invalidArgument, "output_padding", expected: "less than the stride or the dilation, \(limit)",
        found: "\(outputPadding)")
    }
    guard groups >= 1, inputChannels % groups == 0, outputChannels % groups == 0 else {
      throw ProblemError(
        .invalidArgument, "groups", expected: "a divisor of \(inputChannels) and \(outputChannels) channels",
        found: "\(groups)")
    }
  }

  private func validateShapes() throws(ProblemError) {
    guard batch >= 0, inputChannels >= 1, outputChannels >= 1, inputSize.height >= 1, inputSize.width >= 1 else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "channels, rows and columns, with only the batch possibly empty",
        found: "x \(xDimensions), \(outputChannels) output channels")
    }
    try inputSize.require(atLeast: 1, "inputs/x")
    try requireAddressable(xDimensions, "inputs/x")
    try requireAddressable(weightDimensions, "parameters/weight")
    guard outputSize.height >= 1, outputSize.width >= 1 else {
      throw ProblemError(
        .shapeMismatch, "output size", expected: "at least 1×1",
        found: "\(outputSize.height)×\(outputSize.width) (padding cuts off all of it)")
    }
    try requireAddressable([batch, outputChannels, outputSize.height, outputSize.width], "outputs/y")
  }

  private func requireAddressable(_ dimensions: [Int], _ subject: String) throws(ProblemError) {
    guard Shape(validating: dimensions) != nil else {
      throw ProblemError(.invalidArgument, subject, expected: "an addressable size", found: "\(dimensions)")
    }
  }

  private var xDimensions: [Int] { [batch, inputChannels, inputSize.height, inputSize.width] }
  private var weightDimensions: [Int] {
    [inputChannels, outputChannels / groups, kernelSize.height, kernelSize.width]
  }

  public var inputShape: Shape { Shape(xDimensions) }
  public var weightShape: Shape { Shape(weightDimensions) }
  public var outputShape: Shape { Shape(batch, outputChannels, outputSize.height, outputSize.width) }

  /// P × Q. With extents and arguments of at most 2³⁰ nothing here overflows.
  ///
  /// It is asked for at every element: a key path in place of the two axes takes longer than the element's sum.
  public var outputSize: Pair {
    func extent(_ input: Int, _ stride: Int, _ dilation: Int, _ kernel: Int, _ extra: Int, _ padding: Int) -> Int {
      (input - 1) * stride + dilation * (kernel - 1) + 1 + extra - 2 * padding
    }
    return Pair(
      extent(
        inputSize.height, stride.height, dilation.height, kernelSize.height, outputPadding.height, padding.height),
      extent(inputSize.width, stride.width, dilation.width, kernelSize.width, outputPadding.width, padding.width))
  }

  /// N·C·H·W·(K/groups)·R·S, those among them that padding cuts off; saturates at `Int.max`.
  public var multiplyAccumulates: Int { work.value }

  public var work: SaturatingCount {
    .product(
      batch, inputChannels, inputSize.height, inputSize.width, outputChannels / groups, kernelSize.height,
      kernelSize.width)
  }

  public var scratchElements: SaturatingCount { 0 }
}

extension ConvTranspose2dProblem {
  public static let operation = "conv_transpose2d"
  public static let attributeTokens: [AttributeToken] = [
    .pair("stride", "stride"), .pair("pad", "padding"), .pair("outpad", "output_padding", omitting: .integer(0)),
    .pair("dilation", "dilation", omitting: .integer(1)), .integer("groups", "groups", omitting: .integer(1)),
  ]

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let groups = try attributes.integer("groups", default: 1)
    guard groups >= 1 else {
      throw ProblemError(.invalidArgument, "groups", expected: "at least 1", found: "\(groups)")
    }
    let x = try operands.input(rank: 4)
    let weight = try operands.requiredParameter("weight", rank: 4)
    let bias = try operands.parameter("bias")
    let (outputChannels, overflow) = weight[1].multipliedReportingOverflow(by: groups)
    guard weight[0] == x[1], !overflow else {
      throw ProblemError(
        .shapeMismatch, "parameters/weight", expected: "\(x[1]) filters, one for each channel of inputs/x",
        found: "shape \(weight)")
    }
    try operands.requireVector(bias, count: outputChannels, "parameters/bias")
    try self.init(
      batch: x[0], inputChannels: x[1], inputSize: Pair(x[2], x[3]), outputChannels: outputChannels,
      kernelSize: Pair(weight[2], weight[3]), stride: attributes.pair("stride", default: 1),
      padding: attributes.pair("padding", default: 0),
      outputPadding: attributes.pair("output_padding", default: 0),
      dilation: attributes.pair("dilation", default: 1), groups: groups, hasBias: bias != nil)
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let x = try text.requiredExtents("nchw")
    let k = try text.requiredExtents("krs")
    // Groups decide the weight's second extent, so they are looked at here without being consumed.
    let groups = text.peek("groups").flatMap { Int($0) } ?? 1
    guard groups >= 1, k[0] % groups == 0 else {
      throw ProblemError(.invalidArgument, "groups", expected: "a divisor of \(k[0]) channels", found: "\(groups)")
    }
    var parameters = ["weight": TensorType(try ProblemText.shape([x[1], k[0] / groups, k[1], k[2]]))]
    if text.flag("bias") { parameters["bias"] = TensorType(try ProblemText.shape([k[0]])) }
    return Operands(inputs: ["x": TensorType(try ProblemText.shape(x))], parameters: parameters)
  }

  public var attributes: Attributes {
    Attributes([
      "stride": .pair(stride), "padding": .pair(padding), "output_padding": .pair(outputPadding),
      "dilation": .pair(dilation), "groups": .integer(groups),
    ])
  }

  public var operands: Operands {
    var parameters = ["weight": TensorType(weightShape)]
    if hasBias { parameters["bias"] = TensorType([outputChannels]) }
    return Operands(inputs: ["x": TensorType(inputShape)], parameters: parameters)
  }

  public var shapeTokens: [String] {
    ProblemText.tokens(for: inputShape) + ["k\(outputChannels)r\(kernelSize.height)s\(kernelSize.width)"]
      + (hasBias ? ["bias"] : [])
  }

  public var outputs: [String: TensorType] { ["y": TensorType(outputShape)] }
}
