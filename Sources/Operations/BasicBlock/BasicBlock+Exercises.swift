import Problems

extension BasicBlock {
  public var roles: [String: OperandRole] { problem.layers.roles.merging(["x": .values]) { $1 } }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> =
    .none(because: "its bound is put together from those of its layers, which are measured")

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("basic_block n2c3h4w5 k3"),
    .init("basic_block n2c2h5w6 k3 projection stride2 training"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      var options = ResidualBlockPlan.Options()
      options.training = choices.flag("training")
      options.projects = choices.flag("projection")
      if options.projects { options.stride = choices.option("stride", [1, 2, 3]) }
      let planes = choices.size("K", .planes)
      // An identity adds what it was given.
      let inputs = options.projects ? choices.size("C", .planes) : planes
      return try BasicBlockProblem(inputShape: choices.images(of: inputs), planes: planes, options: options)
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
