import Problems

extension ResidualBlock {
  public var roles: [String: OperandRole] { problem.layers.roles.merging(["x": .values]) { $1 } }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> =
    .none(because: "its bound is put together from those of its layers, which are measured")

  public static let gradientCases: Applicable<[GradientCase]> =
    .none(because: "its gradients are those of the fixed blocks, put together by the same code")

  /// The original order and the one that activates first, with whatever shortcut the shapes ask for.
  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let (inputs, outputs) = (choices.size("C", .planes), choices.size("K", .planes))
      let stride = choices.option("stride", [1, 2])
      let kernel = choices.option("kernel", [1, 3])
      func conv(_ stride: Int) -> BlockStage {
        .conv(out: outputs, kernel: kernel, stride: stride, padding: kernel / 2, groups: 1)
      }
      let activatesFirst = choices.flag("activates first")
      let stages: [BlockStage] =
        activatesFirst
        ? [.batchNorm, .relu, conv(stride), .relu, conv(1)] : [conv(stride), .batchNorm, .relu, conv(1)]
      let needsShortcut = inputs != outputs || stride > 1 || choices.flag("projection")
      return try ResidualBlockProblem(
        inputShape: choices.images(of: inputs), stages: stages,
        shortcut: needsShortcut
          ? [.conv(out: outputs, kernel: 1, stride: stride, padding: 0, groups: 1), .batchNorm] : [],
        training: choices.flag("training"))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
