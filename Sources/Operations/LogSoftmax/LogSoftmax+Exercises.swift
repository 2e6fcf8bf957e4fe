import Problems

extension LogSoftmax {
  public var roles: [String: OperandRole] { ["x": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("log_softmax n256c100", low: -8, high: 8),
    .init("log_softmax n16c1000", low: -4, high: 4),
    .init("log_softmax n4c7h20w21", low: -20, high: 20),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("log_softmax n3c7"),
    .init("log_softmax n2c5h3w2"),
    .init("log_softmax n3c4", .saturated),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      try LogSoftmaxProblem(inputShape: choices.shape(ranks: [2, 4, 3], weights: [4, 2, 1]))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
