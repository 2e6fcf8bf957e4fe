import Problems

extension SiLU {
  public var roles: [String: OperandRole] { ["x": .values] }

  /// Where most activations lie, where σ saturates, and far beyond.
  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("silu n4c16h20w21", low: -4, high: 4),
    .init("silu n4c16h20w21", low: -25, high: 25),
    .init("silu n16c1000", low: -120, high: 120),
    .init("silu n16c1000", low: -0x1p-120, high: 0x1p-120),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("silu n2c3h4w5"),
    .init("silu n2c3h4w5", .saturated),
    .init("silu n3c7", .ties),
    .init("silu n3c7", .narrow),
    .init("silu shape"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices in SiLUProblem(inputShape: choices.anyShape()) })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
