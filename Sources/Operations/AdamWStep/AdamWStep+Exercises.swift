import Problems

extension AdamWStep {
  public var roles: [String: OperandRole] { problem.roles }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("adamw_step n40c50 t5 amsgrad")
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .none(because: "it has no backward pass")

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in try AdamWStepProblem(&choices) })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
