import Problems

extension ResNet {
  public var roles: [String: OperandRole] {
    var roles = problem.layers.roles
    roles["x"] = .values
    if problem.hasTarget { roles["target"] = .indices(count: problem.classCount, ignored: nil) }
    return roles
  }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> =
    .none(because: "its bound is put together from those of its layers, which are measured")

  public static let gradientCases: Applicable<[GradientCase]> =
    .none(because: "a network is checked where one is named: it takes minutes")

  /// A network is loaded only to be run: one small one is enough.
  public static let problemDraw: Applicable<ProblemDraw> =
    .none(because: "a network takes seconds: its layers and blocks are drawn")

  public static let casesForMutants: Applicable<Set<String>> = .some(["/resnet/cifar_resnet20/32x32/evaluation"])

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
