import Problems

extension TrainingRun {
  public var roles: [String: OperandRole] {
    problem.trainingPlan.layers.roles.merging([
      "images": .values, "labels": .indices(count: problem.classCount, ignored: nil),
      "batches": .indices(count: problem.imagesShape[0], ignored: nil),
    ]) { $1 }
  }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> =
    .none(because: "each step amplifies the rounding of those before, so that a bound says nothing")

  public static let gradientCases: Applicable<[GradientCase]> = .none(because: "it has no backward pass")

  public static let problemDraw: Applicable<ProblemDraw> =
    .none(because: "a training run takes seconds: its layers and its optimiser are drawn")

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  /// Each step's loss depends on the rounding of all steps before it.
  public static let trajectories: Set<String> = ["loss"]
}
