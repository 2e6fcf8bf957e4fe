import Problems

extension ResidualBlock {
  public var roles: [String: OperandRole] { problem.layers.roles.merging(["x": .values]) { $1 } }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> =
    .none(because: "its bound is put together from those of its layers, which are measured")

  public static let gradientCases: Applicable<[GradientCase]> =
    .none(because: "its gradients are those of the fixed blocks, put together by the same code")

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
