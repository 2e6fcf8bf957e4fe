import Problems

extension Add {
  public var roles: [String: OperandRole] { ["x": .values, "other": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("add n4c16h20w21", low: -0.7, high: 1.9)
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("add n2c3h4w5")
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices in AddProblem(inputShape: choices.anyShape()) })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  /// A sum of two is rounded once, and uses its whole bound.
  public static let judgementAsLayer = LayerJudgement(fill: .random, countsInWorst: false)
  public static let trajectories: Set<String> = []
}
