import Problems

extension Identity {
  public var roles: [String: OperandRole] { ["x": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .none(because: "it rounds nothing")

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("identity shape2x3x5")
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices in IdentityProblem(inputShape: choices.anyShape()) })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
