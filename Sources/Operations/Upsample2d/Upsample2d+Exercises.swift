import Problems

extension Upsample2d {
  public var roles: [String: OperandRole] { ["x": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("upsample2d n2c8h14w13 modebilinear scale2.0"),
    .init("upsample2d n2c8h14w13 modebilinear size29x17"),
    .init("upsample2d n2c8h14w13 scale2.0"),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("upsample2d n2c2h3w4 size6x8"),
    .init("upsample2d n1c2h3w4 size7x5"),
    .init("upsample2d n1c2h3w4 scale2.0"),
    .init("upsample2d n2c2h3w4 modebilinear size7x5"),
    .init("upsample2d n1c2h3w4 modebilinear scale2.0 aligned"),
  ])

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
