import Tensors

/// Two-dimensional convolution (cross-correlation) of N×C×H×W with K×(C/groups)×R×S.
public struct Conv2dProblem: OperationProblem {
  /// Padding as `torch.nn.Conv2d` takes it.
  public enum Padding: Hashable, Sendable {
    case explicit(Pair)
    /// No padding.
    case valid
    /// Output as large as the input (stride 1 only); where the total is odd, the extra row or column comes last.
    case same
  }

  public let batch: Int
  public let inputChannels: Int
  public let inputSize: Pair
  public let outputChannels: Int
  public let kernelSize: Pair
  public let stride: Pair
  public let padding: Padding
  public let dilation: Pair
  public let groups: Int
  public let hasBias: Bool

  /// - Throws: ``ProblemError`` for every combination that has no result.
  public init(
    batch: Int, inputChannels: Int, inputSize: Pair, outputChannels: Int, kernelSize: Pair, stride: Pair = 1,
    padding: Padding = .explicit(0), dilation: Pair = 1, groups: Int = 1, hasBias: Bool = false
  ) throws(ProblemError) {
    self.batch = batch
    self.inputChannels = inputChannels
    self.inputSize = inputSize
    self.outputChannels = outputChannels
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    self.hasBias = hasBias
    try validate()
  }

  private func validate() throws(ProblemError) {
    try stride.require(atLeast: 1, "stride")
    try dilation.require(atLeast: 1, "dilation")
    guard groups >= 1 else {
      throw ProblemError(.invalidArgument, "groups", expected: "at least 1", found: "\(groups)")
    }
    if case .explicit(let pair) = padding { try pair.require(atLeast: 0, "padding") }
    if padding == .same, stride != 1 {
      throw ProblemError(.invalidArgument, "padding", expected: "stride 1 with padding same", found: "stride \(stride)")
    }
    try kernelSize.require(atLeast: 1, "kernel_size")
    guard batch >= 0, inputSize.height >= 0, inputSize.width >= 0, inputChannels >= 1, outputChannels >= 1 else {
      throw ProblemError(
        .shapeMismatch, "shape", expected: "at least one channel and no negative extent",
        found: "x \([batch, inputChannels, inputSize.height, inputSize.width]), \(outputChannels) output channels")
    }
    guard inputChannels % groups == 0, outputChannels % groups == 0 else {
      throw ProblemError(
        .invalidArgument, "groups", expected: "a divisor of \(inputChannels) and \(outputChannels) channels",
        found: "\(groups)")
    }
    for (shape, name) in [(xDimensions, "inputs/x"), (weightDimensions, "parameters/weight")] {
      _ = try addressable(shape, name)
    }
    guard outputSize.height >= 1, outputSize.width >= 1 else {
      throw ProblemError(
        .shapeMismatch, "output size", expected: "at least 1×1",
        found: "\(outputSize.height)×\(outputSize.width) (the dilated kernel is larger than the padded input)")
    }
    _ = try addressable([batch, outputChannels, outputSize.height, outputSize.width], "outputs/y")
  }

  private func addressable(_ dimensions: [Int], _ subject: String) throws(ProblemError) -> Shape {
    guard let shape = Shape(validating: dimensions) else {
      throw ProblemError(.invalidArgument, subject, expected: "an addressable size", found: "\(dimensions)")
    }
    return shape
  }

  private var xDimensions: [Int] { [batch, inputChannels, inputSize.height, inputSize.width] }
  private var weightDimensions: [Int] {
    [outputChannels, inputChannels / groups, kernelSize.height, kernelSize.width]
  }

  public var inputShape: Shape { Shape(xDimensions) }
  public var weightShape: Shape { Shape(weightDimensions) }
  public var outputShape: Shape { Shape(batch, outputChannels, outputSize.height, outputSize.width) }

  /// Rows and columns that the kernel covers: dilation·(size − 1) + 1.
  public var dilatedKernelSize: Pair {
    Pair(dilation.height * (kernelSize.height - 1) + 1, dilation.width * (kernelSize.width - 1) + 1)
  }

  /// Rows above and columns left of the input.
  public var paddingBefore: Pair {
    switch padding {
    case .explicit(let pair): pair
    case .valid: 0
    case .same: Pair((dilatedKernelSize.height - 1) / 2, (dilatedKernelSize.width - 1) / 2)
    }
  }

  /// Rows below and columns right of the input.
  public var paddingAfter: Pair {
    guard padding == .same else { return paddingBefore }
    return Pair(
      dilatedKernelSize.height - 1 - paddingBefore.height, dilatedKernelSize.width - 1 - paddingBefore.width)
  }

  /// P × Q.
  public var outputSize: Pair {
    func extent(_ input: Int, _ before: Int, _ after: Int, _ kernel: Int, _ stride: Int) -> Int {
      let room = input + before + after - kernel
      return room < 0 ? 0 : room / stride + 1
    }
    return Pair(
      extent(
        inputSize.height, paddingBefore.height, paddingAfter.height, dilatedKernelSize.height, stride.height),
      extent(inputSize.width, paddingBefore.width, paddingAfter.width, dilatedKernelSize.width, stride.width))
  }

  /// N·K·P·Q·(C/groups)·R·S; saturates at `Int.max`.
  public var multiplyAccumulates: Int { work.value }

  public var work: SaturatingCount {
    .product(
      batch, outputChannels, outputSize.height, outputSize.width, inputChannels / groups, kernelSize.height,
      kernelSize.width)
  }

  /// Padded planes of the input for each remainder of rows and columns modulo the stride, or for each tap where that is
  /// less, and outputs with the margins of such a plane; each twice, as they are and while they are summed.
  public var scratchElements: SaturatingCount {
    // Remainders of 0, d, 2d, … modulo the stride s: as many as there are taps, at most s / gcd(d, s).
    func remainders(_ size: Int, _ dilation: Int, _ stride: Int) -> Int {
      var (a, b) = (dilation, stride)
      while b != 0 { (a, b) = (b, a % b) }
      return min(size, stride / a)
    }
    let rows = outputSize.height + (dilatedKernelSize.height - 1) / stride.height
    let columns = outputSize.width + (dilatedKernelSize.width - 1) / stride.width
    let phases = SaturatingCount.product(
      remainders(kernelSize.height, dilation.height, stride.height),
      remainders(kernelSize.width, dilation.width, stride.width))
    let padded = phases * .product(rows, columns)
    let byTap = SaturatingCount.product(kernelSize.height, kernelSize.width, outputSize.height, outputSize.width)
    let spread: SaturatingCount =
      padded <= byTap ? .product(rows, columns) : .product(outputSize.height, outputSize.width)
    return 2 * (.product(batch, inputChannels) * min(padded, byTap) + .product(batch, outputChannels) * spread)
  }
}

extension Conv2dProblem {
  public static let operation = "conv2d"
  public static let attributeTokens: [AttributeToken] = [
    .pair("stride", "stride"), .pair("pad", "padding"), .pair("dilation", "dilation", omitting: .integer(1)),
    .integer("groups", "groups", omitting: .integer(1)),
  ]

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let groups = try attributes.integer("groups", default: 1)
    let x = try operands.input(rank: 4)
    let weight = try operands.requiredParameter("weight", rank: 4)
    let bias = try operands.parameter("bias")
    try operands.requireVector(bias, count: weight[0], "parameters/bias")
    let padding: Padding =
      switch attributes["padding"] {
      case .string, .strings:
        switch try attributes.string("padding", default: nil) {
        case "same": .same
        case "valid": .valid
        case let other:
          throw ProblemError(.invalidArgument, "padding", expected: "integers, same or valid", found: other)
        }
      default: .explicit(try attributes.pair("padding", default: 0))
      }
    try self.init(
      batch: x[0], inputChannels: x[1], inputSize: Pair(x[2], x[3]), outputChannels: weight[0],
      kernelSize: Pair(weight[2], weight[3]), stride: attributes.pair("stride", default: 1), padding: padding,
      dilation: attributes.pair("dilation", default: 1), groups: groups, hasBias: bias != nil)
    guard weight == weightShape else {
      throw ProblemError(
        .shapeMismatch, "parameters/weight", expected: "shape \(weightShape) for \(x[1]) channels in \(groups) groups",
        found: "shape \(weight)")
    }
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    let x = try text.requiredExtents("nchw")
    let k = try text.requiredExtents("krs")
    // Groups decide the weight's second extent, so they are looked at here without being consumed.
    let groups = text.words.first { $0.hasPrefix("groups") }.flatMap { Int($0.dropFirst(6)) } ?? 1
    guard groups >= 1, x[1] % groups == 0 else {
      throw ProblemError(.invalidArgument, "groups", expected: "a divisor of \(x[1]) channels", found: "\(groups)")
    }
    var parameters = ["weight": TensorType(try ProblemText.shape([k[0], x[1] / groups, k[1], k[2]]))]
    if text.flag("bias") { parameters["bias"] = TensorType(try ProblemText.shape([k[0]])) }
    return Operands(inputs: ["x": TensorType(try ProblemText.shape(x))], parameters: parameters)
  }

  public var attributes: Attributes {
    let padding: AttributeValue =
      switch self.padding {
      case .explicit(let pair): .pair(pair)
      case .same: .string("same")
      case .valid: .string("valid")
      }
    return Attributes([
      "stride": .pair(stride), "padding": padding, "dilation": .pair(dilation), "groups": .integer(groups),
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
