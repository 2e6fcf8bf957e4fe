import Problems

extension Bottleneck {
  public var roles: [String: OperandRole] { problem.layers.roles.merging(["x": .values]) { $1 } }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> =
    .none(because: "its bound is put together from those of its layers, which are measured")

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("bottleneck n2c8h4w3 k2"),
    .init("bottleneck n2c4h6w5 k2 projection stride2 training"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      var options = ResidualBlockPlan.Options()
      options.training = choices.flag("training")
      options.projects = choices.flag("projection")
      if options.projects { options.stride = choices.option("stride", [1, 2, 3]) }
      options.groups = choices.option("groups", [1, 2, 4], weights: [4, 1, 1])
      options.dilation = choices.option("dilation", [1, 2], weights: [3, 1])
      let planes = options.groups * choices.size("K/groups", .planes)
      let inputs = options.projects ? choices.size("C", .channels) : 4 * planes
      return try BottleneckProblem(inputShape: choices.images(of: inputs), planes: planes, options: options)
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
