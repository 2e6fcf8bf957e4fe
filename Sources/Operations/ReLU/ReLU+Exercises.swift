import Problems

extension ReLU {
  public var roles: [String: OperandRole] { ["x": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .none(because: "it rounds nothing")

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("relu n2c3h4w5"),
    .init("relu n2c3h4w5", .ties),
    .init("relu shape"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices in ReLUProblem(inputShape: choices.anyShape()) })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
