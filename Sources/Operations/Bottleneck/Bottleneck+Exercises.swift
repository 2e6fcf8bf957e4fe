import Problems

extension Bottleneck {
  public var roles: [String: OperandRole] { problem.layers.roles.merging(["x": .values]) { $1 } }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> =
    .none(because: "its bound is put together from those of its layers, which are measured")

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("bottleneck n2c8h4w3 k2"),
    .init("bottleneck n2c4h6w5 k2 projection stride2 training"),
  ])

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
