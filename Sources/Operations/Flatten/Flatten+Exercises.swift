import Problems

extension Flatten {
  public var roles: [String: OperandRole] { ["x": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .none(because: "it rounds nothing")

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("flatten n2c3h2w4")
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      try FlattenProblem(inputShape: choices.shape(ranks: [2, 4, 3, 5], weights: [1, 4, 1, 1]))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
