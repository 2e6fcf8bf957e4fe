import Tensors

/// The window arithmetic that max and average pooling share.
public struct PoolingWindow: Hashable, Sendable {
  public let inputShape: Shape
  public let kernelSize: Pair
  public let stride: Pair
  public let padding: Pair
  public let dilation: Pair
  public let ceilMode: Bool

  /// - Throws: ``ProblemError`` for a window that PyTorch refuses too.
  init(
    inputShape: Shape, kernelSize: Pair, stride: Pair?, padding: Pair, dilation: Pair, ceilMode: Bool
  ) throws(ProblemError) {
    self.inputShape = inputShape
    self.kernelSize = kernelSize
    self.stride = stride ?? kernelSize
    self.padding = padding
    self.dilation = dilation
    self.ceilMode = ceilMode
    guard inputShape.rank == 4, inputShape[1] >= 1, inputShape[2] >= 1, inputShape[3] >= 1 else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "rank 4, with only the batch possibly empty", found: "shape \(inputShape)"
      )
    }
    try kernelSize.require(atLeast: 1, "kernel_size")
    try self.stride.require(atLeast: 1, "stride")
    try dilation.require(atLeast: 1, "dilation")
    try padding.require(atLeast: 0, "padding")
    guard padding.height <= kernelSize.height / 2, padding.width <= kernelSize.width / 2 else {
      throw ProblemError(
        .invalidArgument, "padding", expected: "at most half of the kernel \(kernelSize)", found: "\(padding)")
    }
    guard outputSize.height >= 1, outputSize.width >= 1 else {
      throw ProblemError(
        .shapeMismatch, "output size", expected: "at least 1×1",
        found: "\(outputSize.height)×\(outputSize.width) (the window is larger than the padded input)")
    }
    guard Shape(validating: [inputShape[0], inputShape[1], outputSize.height, outputSize.width]) != nil else {
      throw ProblemError(.invalidArgument, "padding", expected: "an addressable output", found: "\(outputSize)")
    }
  }

  init(attributes: Attributes, operands: Operands, dilated: Bool) throws(ProblemError) {
    try self.init(
      inputShape: operands.input(rank: 4), kernelSize: attributes.pair("kernel_size", default: nil),
      stride: attributes["stride"] == nil ? nil : attributes.pair("stride", default: nil),
      padding: attributes.pair("padding", default: 0), dilation: dilated ? attributes.pair("dilation", default: 1) : 1,
      ceilMode: attributes.boolean("ceil_mode", default: false))
  }

  /// P × Q. With `ceilMode` a last window may hang over the end, but never starts beyond input and leading padding.
  public var outputSize: Pair {
    func extent(_ input: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int) -> Int {
      let room = input + 2 * padding - dilation * (kernel - 1) - 1
      guard room >= 0 || ceilMode else { return 0 }
      let numerator = room + (ceilMode ? stride - 1 : 0)
      // Towards minus infinity, as PyTorch's div_rtn: a window larger than the padded input has no output.
      guard numerator >= 0 else { return 0 }
      var count = numerator / stride + 1
      if ceilMode, (count - 1) * stride >= input + padding { count -= 1 }
      return max(count, 0)
    }
    return Pair(
      extent(inputShape[2], kernelSize.height, stride.height, padding.height, dilation.height),
      extent(inputShape[3], kernelSize.width, stride.width, padding.width, dilation.width))
  }

  public var outputShape: Shape { Shape(inputShape[0], inputShape[1], outputSize.height, outputSize.width) }

  /// Every window looks at its whole kernel.
  var work: SaturatingCount { outputShape.elements * .product(kernelSize.height, kernelSize.width) }

  var attributes: Attributes {
    Attributes([
      "kernel_size": .pair(kernelSize), "stride": .pair(stride), "padding": .pair(padding),
      "dilation": .pair(dilation), "ceil_mode": .boolean(ceilMode),
    ])
  }

  static var tokens: [AttributeToken] {
    [
      .pair("kernel", "kernel_size"), .pair("stride", "stride"), .pair("pad", "padding", omitting: .integer(0)),
      .pair("dilation", "dilation", omitting: .integer(1)), .flag("ceil", "ceil_mode"),
    ]
  }
}

/// The maximum of each window; padding never wins.
public struct MaxPool2dProblem: OperationProblem {
  public static let operation = "max_pool2d"
  public static let attributeTokens = PoolingWindow.tokens
  public let window: PoolingWindow

  /// - Throws: ``ProblemError`` for a window that does not fit.
  public init(
    inputShape: Shape, kernelSize: Pair, stride: Pair? = nil, padding: Pair = 0, dilation: Pair = 1,
    ceilMode: Bool = false
  ) throws(ProblemError) {
    window = try PoolingWindow(
      inputShape: inputShape, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
      ceilMode: ceilMode)
  }
  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    window = try PoolingWindow(attributes: attributes, operands: operands, dilated: true)
  }
  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    Operands(inputs: ["x": TensorType(try ProblemText.shape(try text.requiredExtents("nchw")))])
  }
  public var inputShape: Shape { window.inputShape }
  public var outputShape: Shape { window.outputShape }
  public var attributes: Attributes { window.attributes }
  public var operands: Operands { Operands(inputs: ["x": TensorType(inputShape)]) }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) }
  /// `indices` are positions in the H·W plane of the input.
  public var outputs: [String: TensorType] {
    ["y": TensorType(outputShape), "indices": TensorType(outputShape, .int64)]
  }
  public var work: SaturatingCount { window.work }
  public var scratchElements: SaturatingCount { 0 }
}

/// The mean of each window.
public struct AvgPool2dProblem: OperationProblem {
  public static let operation = "avg_pool2d"
  public static let attributeTokens =
    PoolingWindow.tokens.filter { $0.attribute != "dilation" } + [
      .flag("excludepad", "count_include_pad", false), .integer("divisor", "divisor_override"),
    ]
  public let window: PoolingWindow
  public let countIncludePad: Bool
  public let divisorOverride: Int?

  /// - Throws: ``ProblemError`` for a window that does not fit, or a divisor of 0.
  public init(
    inputShape: Shape, kernelSize: Pair, stride: Pair? = nil, padding: Pair = 0, ceilMode: Bool = false,
    countIncludePad: Bool = true, divisorOverride: Int? = nil
  ) throws(ProblemError) {
    try self.init(
      window: PoolingWindow(
        inputShape: inputShape, kernelSize: kernelSize, stride: stride, padding: padding, dilation: 1,
        ceilMode: ceilMode), countIncludePad: countIncludePad, divisorOverride: divisorOverride)
  }

  private init(window: PoolingWindow, countIncludePad: Bool, divisorOverride: Int?) throws(ProblemError) {
    guard divisorOverride != 0 else {
      throw ProblemError(.invalidArgument, "divisor_override", expected: "any integer but 0", found: "0")
    }
    self.window = window
    self.countIncludePad = countIncludePad
    self.divisorOverride = divisorOverride
  }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    try self.init(
      window: PoolingWindow(attributes: attributes, operands: operands, dilated: false),
      countIncludePad: attributes.boolean("count_include_pad", default: true),
      divisorOverride: attributes["divisor_override"] == nil
        ? nil : attributes.integer("divisor_override", default: nil))
  }
  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    try MaxPool2dProblem.operands(from: &text)
  }
  public var inputShape: Shape { window.inputShape }
  public var outputShape: Shape { window.outputShape }
  public var attributes: Attributes {
    var attributes = window.attributes
    attributes["dilation"] = nil
    attributes["count_include_pad"] = .boolean(countIncludePad)
    attributes["divisor_override"] = divisorOverride.map(AttributeValue.integer)
    return attributes
  }
  public var operands: Operands { Operands(inputs: ["x": TensorType(inputShape)]) }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) }
  public var outputs: [String: TensorType] { ["y": TensorType(outputShape)] }
  public var work: SaturatingCount { window.work }
  public var scratchElements: SaturatingCount { 0 }
}

/// The mean over windows that divide the input into `outputSize` parts: output i covers ⌊iH/P⌋ up to ⌈(i+1)H/P⌉.
public struct AdaptiveAvgPool2dProblem: OperationProblem {
  public static let operation = "adaptive_avg_pool2d"
  public static let attributeTokens: [AttributeToken] = [.pair("output", "output_size")]
  public let inputShape: Shape
  public let outputSize: Pair

  /// - Throws: ``ProblemError`` for an empty image or a negative output size.
  public init(inputShape: Shape, outputSize: Pair) throws(ProblemError) {
    guard inputShape.rank == 4, inputShape[1] >= 1, inputShape[2] >= 1, inputShape[3] >= 1 else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "rank 4, with only the batch possibly empty", found: "shape \(inputShape)"
      )
    }
    try outputSize.require(atLeast: 1, "output_size")
    guard Shape(validating: [inputShape[0], inputShape[1], outputSize.height, outputSize.width]) != nil else {
      throw ProblemError(.invalidArgument, "output_size", expected: "an addressable output", found: "\(outputSize)")
    }
    self.inputShape = inputShape
    self.outputSize = outputSize
  }
  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    try self.init(inputShape: operands.input(rank: 4), outputSize: attributes.pair("output_size", default: nil))
  }
  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    try MaxPool2dProblem.operands(from: &text)
  }
  public var outputShape: Shape { Shape(inputShape[0], inputShape[1], outputSize.height, outputSize.width) }
  public var attributes: Attributes { Attributes(["output_size": .pair(outputSize)]) }
  public var operands: Operands { Operands(inputs: ["x": TensorType(inputShape)]) }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) }
  public var outputs: [String: TensorType] { ["y": TensorType(outputShape)] }
  /// Every output looks at its part of the input; parts overlap by at most one row and column each way.
  public var work: SaturatingCount {
    func reach(_ input: Int, _ output: Int) -> Int { input / output + 2 }
    return outputShape.elements
      * .product(reach(inputShape[2], outputSize.height), reach(inputShape[3], outputSize.width))
  }
  public var scratchElements: SaturatingCount { 0 }
}
