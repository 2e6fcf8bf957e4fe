import Problems

extension SGDStep {
  public var roles: [String: OperandRole] { ["gradients": .values, "p": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("sgd_step n40c50 t5 lr0.1 momentum0.9 decay0.01")
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .none(because: "it has no backward pass")

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
