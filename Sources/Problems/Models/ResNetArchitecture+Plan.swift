import Tensors

extension ResNetArchitecture {
  /// Every layer for an input of this shape.
  ///
  /// - Parameters:
  ///   - inputShape: (N, 3, H, W).
  ///   - classCount: outputs of the classifier; `nil` for the architecture's own.
  ///   - training: whether batch norms use the batch's statistics.
  ///   - uncounted: batch norms (by name) whose `num_batches_tracked` is not kept.
  /// - Throws: ``ProblemError`` when the image or the batch does not fit the network.
  public func plan(
    inputShape: Shape, classCount: Int? = nil, training: Bool = false, uncounted: Set<String> = []
  ) throws(ProblemError) -> NetworkPlan {
    guard inputShape.rank == 4, inputShape[1] == 3 else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "shape (N, 3, H, W)", found: "shape \(inputShape)")
    }
    let classes = classCount ?? self.classCount
    guard classes >= 1 else {
      throw ProblemError(.invalidArgument, "num_classes", expected: "at least 1", found: "\(classes)")
    }
    let stem = try stemLayers(inputShape, training: training, uncounted: uncounted)
    var shape = stem.shape
    var stages: [[ResidualBlockPlan]] = []
    var dilation = 1
    for (stage, (count, planes)) in zip(depths, widths).enumerated() {
      var blocks: [ResidualBlockPlan] = []
      var options = ResidualBlockPlan.Options()
      options.groups = groups
      options.baseWidth = baseWidth
      options.training = training
      options.uncounted = uncounted
      let first = stage == 0 ? 1 : 2
      options.stride = dilatedStages.contains(stage) ? 1 : first
      // The first block of a dilated stage keeps the dilation of the stage before.
      options.dilation = dilation
      if dilatedStages.contains(stage) { dilation *= first }
      options.projects = options.stride != 1 || shape[1] != planes * expansion
      for index in 0..<count {
        let prefix = "layer\(stage + 1).\(index)."
        let block: ResidualBlockPlan =
          switch self.block {
          case .basic: try .basic(prefix: prefix, inputShape: shape, planes: planes, options)
          case .bottleneck: try .bottleneck(prefix: prefix, inputShape: shape, planes: planes, options)
          }
        blocks.append(block)
        shape = block.outputShape
        options.stride = 1
        options.projects = false
        options.dilation = dilation
      }
      stages.append(blocks)
    }
    let head = try headLayers(shape, classes: classes, training: training)
    return NetworkPlan(inputShape: inputShape, stem: stem.layers, stages: stages, head: head)
  }

  /// Output channels over planes.
  public var expansion: Int { block == .basic ? 1 : 4 }

  private func stemLayers(
    _ inputShape: Shape, training: Bool, uncounted: Set<String>
  ) throws(ProblemError) -> LayerChain {
    var chain = LayerChain(from: inputShape, prefix: "", training: training)
    chain.uncounted = uncounted
    switch stem {
    case .imageNet: try chain.conv("conv1", out: widths[0], kernel: 7, stride: 2, padding: 3)
    case .smallImage: try chain.conv("conv1", out: widths[0], kernel: 3, padding: 1)
    }
    try chain.batchNorm("bn1")
    chain.relu("relu")
    if stem == .imageNet {
      let pool = try MaxPool2dProblem(inputShape: chain.shape, kernelSize: 3, stride: 2, padding: 1)
      chain.append("maxpool", pool)
    }
    return chain
  }

  private func headLayers(
    _ inputShape: Shape, classes: Int, training: Bool
  ) throws(ProblemError) -> [NetworkLayer] {
    var chain = LayerChain(from: inputShape, prefix: "", training: training)
    switch pool {
    case .global:
      chain.append("avgpool", try AdaptiveAvgPool2dProblem(inputShape: chain.shape, outputSize: 1))
    case .fourByFour:
      chain.append("avgpool", try AvgPool2dProblem(inputShape: chain.shape, kernelSize: 4))
    }
    chain.append("flatten", try FlattenProblem(inputShape: chain.shape))
    let features = widths[widths.count - 1] * expansion
    guard chain.shape[1] == features else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "32×32 images, which leave \(features) features for \(name)",
        found: "\(chain.shape[1]) features")
    }
    let linear = try LinearProblem(
      batch: chain.shape[0], inputFeatures: features, outputFeatures: classes, hasBias: true)
    chain.append("fc", linear)
    return chain.layers
  }
}
