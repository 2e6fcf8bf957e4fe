import Problems

extension ScaledAdd {
  public var roles: [String: OperandRole] { ["x": .values, "other": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("scaled_add n4c16h20w21 alpha0.1", low: -0.7, high: 1.9),
    .init("scaled_add n256c100 alpha-3.3"),
    .init("scaled_add n8c3h32w32 alpha0.3", low: -0.001, high: 0.001),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("scaled_add n2c3h4w5 alpha0.1"),
    .init("scaled_add n3c7 alpha-0.75"),
    .init("scaled_add shape11"),
    .init("scaled_add n2c5 alpha0.0"),
    .init("scaled_add n2c3h2w2 alpha-0.3", .denormal),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices in
      ScaledAddProblem(
        inputShape: choices.anyShape(),
        alpha: choices.option("alpha", [1, 0, 0.1, -0.75, -3.3, 1e-3]))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  /// Each element is rounded two or three times, and some use their whole bound.
  public static let judgementAsLayer = LayerJudgement(fill: .random, countsInWorst: false)
  public static let trajectories: Set<String> = []
}
