import Tensors

/// A residual block: y = ReLU(branch(x) + shortcut(x)), where an empty shortcut is the identity.
///
/// - Source: He, Zhang, Ren and Sun 2015, "Deep residual learning for image recognition", figures 2 and 5.
public struct ResidualBlockPlan: Hashable, Sendable {
  public let inputShape: Shape
  public let branch: [NetworkLayer]
  public let shortcut: [NetworkLayer]
  public let sum: NetworkLayer
  public let activation: NetworkLayer

  /// - Throws: ``ProblemError`` when branch and shortcut do not end in the same shape.
  init(
    prefix: String, branch: LayerChain, shortcut: LayerChain, from inputShape: Shape, activation: String
  ) throws(ProblemError) {
    guard branch.shape == shortcut.shape else {
      throw ProblemError(
        .shapeMismatch, "\(prefix)shortcut", expected: "shape \(branch.shape), as the branch ends in",
        found: "shape \(shortcut.shape)" + (shortcut.layers.isEmpty ? " (an identity; a projection is missing)" : ""))
    }
    self.inputShape = inputShape
    self.branch = branch.layers
    self.shortcut = shortcut.layers
    sum = NetworkLayer(name: prefix + "add", AddProblem(inputShape: branch.shape))
    self.activation = NetworkLayer(name: prefix + activation, ReLUProblem(inputShape: branch.shape))
  }

  public var outputShape: Shape { activation.outputShape }

  /// All layers in the order in which they are computed, which is also that of the `state_dict`.
  public var layers: [NetworkLayer] { branch + shortcut + [sum, activation] }
}

extension ResidualBlockPlan {
  /// What a block's geometry depends on, with torchvision's names.
  public struct Options: Hashable, Sendable {
    public var stride = 1
    public var groups = 1
    /// Channels of one group when the block has 64 planes.
    public var baseWidth = 64
    public var dilation = 1
    public var training = false
    /// Whether the shortcut is a 1×1 convolution and a batch norm.
    public var projects = false
    /// Batch norms (by name) that do not count their batches.
    public var uncounted: Set<String> = []

    public init() {}

    static let tokens: [AttributeToken] = [
      .integer("stride", "stride", omitting: .integer(1)), .integer("groups", "groups", omitting: .integer(1)),
      .integer("width", "base_width", omitting: .integer(64)),
      .integer("dilation", "dilation", omitting: .integer(1)), .flag("training", "training"),
    ]

    /// The attributes of `basic_block` and `bottleneck`; a shortcut's parameters say that it projects.
    init(_ attributes: Attributes, _ operands: Operands) throws(ProblemError) {
      stride = try attributes.integer("stride", default: 1)
      groups = try attributes.integer("groups", default: 1)
      baseWidth = try attributes.integer("base_width", default: 64)
      dilation = try attributes.integer("dilation", default: 1)
      training = try attributes.boolean("training", default: false)
      projects = operands.parameters["downsample.0.weight"] != nil
      uncounted = operands.uncountedBatchNorms
    }

    /// Input shape, planes and what decides the shapes of parameters, from the text form.
    static func read(
      from text: inout ProblemText
    ) throws(ProblemError) -> (inputShape: Shape, planes: Int, options: Self) {
      let x = try ProblemText.shape(try text.requiredExtents("nchw"))
      let planes = try text.requiredExtents("k")[0]
      var options = Self()
      options.projects = text.flag("projection")
      options.groups = text.peek("groups").flatMap { Int($0) } ?? 1
      options.baseWidth = text.peek("width").flatMap { Int($0) } ?? 64
      return (x, planes, options)
    }

    var attributes: Attributes {
      Attributes([
        "stride": .integer(stride), "groups": .integer(groups), "base_width": .integer(baseWidth),
        "dilation": .integer(dilation), "training": .boolean(training),
      ])
    }
  }

  /// Two 3×3 convolutions, the first with the stride.
  /// - Throws: ``ProblemError``; groups, width and dilation are for bottlenecks.
  public static func basic(
    prefix: String = "", inputShape: Shape, planes: Int, _ options: Options
  ) throws(ProblemError) -> ResidualBlockPlan {
    try require(inputShape, planes: planes)
    guard options.groups == 1, options.baseWidth == 64 else {
      throw ProblemError(
        .invalidArgument, "groups", expected: "groups 1 and base width 64 in a basic block",
        found: "groups \(options.groups), base width \(options.baseWidth)")
    }
    guard options.dilation == 1 else {
      throw ProblemError(
        .invalidArgument, "dilation", expected: "dilation 1 in a basic block", found: "\(options.dilation)")
    }
    var branch = chain(prefix, inputShape, options)
    try branch.conv("conv1", out: planes, kernel: 3, stride: options.stride, padding: 1)
    try branch.batchNorm("bn1")
    branch.relu("relu1")
    try branch.conv("conv2", out: planes, kernel: 3, padding: 1)
    try branch.batchNorm("bn2")
    return try ResidualBlockPlan(
      prefix: prefix, branch: branch, shortcut: shortcut(prefix, inputShape, out: planes, options), from: inputShape,
      activation: "relu2")
  }

  /// 1×1 to the block's width, 3×3 with the stride, 1×1 to four times the planes.
  ///
  /// The stride stands on the 3×3, as in torchvision (the paper has it on the first 1×1).
  /// - Throws: ``ProblemError``.
  public static func bottleneck(
    prefix: String = "", inputShape: Shape, planes: Int, _ options: Options
  ) throws(ProblemError) -> ResidualBlockPlan {
    try require(inputShape, planes: planes)
    guard options.groups >= 1, options.baseWidth >= 1 else {
      throw ProblemError(
        .invalidArgument, "groups", expected: "groups and base width of at least 1",
        found: "groups \(options.groups), base width \(options.baseWidth)")
    }
    let (scaled, overflow) = planes.multipliedReportingOverflow(by: options.baseWidth)
    let (width, overflows) = (scaled / 64).multipliedReportingOverflow(by: options.groups)
    guard !overflow, !overflows else {
      throw ProblemError(
        .invalidArgument, "base_width", expected: "an addressable width", found: "\(options.baseWidth)")
    }
    var branch = chain(prefix, inputShape, options)
    try branch.conv("conv1", out: width, kernel: 1)
    try branch.batchNorm("bn1")
    branch.relu("relu1")
    try branch.conv(
      "conv2", out: width, kernel: 3, stride: options.stride, padding: options.dilation, dilation: options.dilation,
      groups: options.groups)
    try branch.batchNorm("bn2")
    branch.relu("relu2")
    try branch.conv("conv3", out: 4 * planes, kernel: 1)
    try branch.batchNorm("bn3")
    return try ResidualBlockPlan(
      prefix: prefix, branch: branch, shortcut: shortcut(prefix, inputShape, out: 4 * planes, options),
      from: inputShape, activation: "relu3")
  }

  private static func require(_ inputShape: Shape, planes: Int) throws(ProblemError) {
    guard inputShape.rank == 4, planes >= 1, planes <= Pair.largest else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "rank 4, and at least one plane",
        found: "shape \(inputShape), \(planes) planes")
    }
  }

  private static func chain(_ prefix: String, _ inputShape: Shape, _ options: Options) -> LayerChain {
    var chain = LayerChain(from: inputShape, prefix: prefix, training: options.training)
    chain.uncounted = options.uncounted
    return chain
  }

  private static func shortcut(
    _ prefix: String, _ inputShape: Shape, out: Int, _ options: Options
  ) throws(ProblemError) -> LayerChain {
    var shortcut = chain(prefix, inputShape, options)
    if options.projects {
      try shortcut.conv("downsample.0", out: out, kernel: 1, stride: options.stride)
      try shortcut.batchNorm("downsample.1")
    }
    return shortcut
  }
}
