import Problems

extension CrossEntropy {
  public var roles: [String: OperandRole] {
    var roles: [String: OperandRole] = ["x": .values]
    roles["target"] =
      problem.hasProbabilityTargets
      ? .probabilities(classes: problem.classes)
      : .indices(count: problem.classes, ignored: problem.ignoreIndex)
    if problem.hasClassWeights { roles["weight"] = .positive }
    return roles
  }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("cross_entropy n256c100 reductionnone", low: -8, high: 8),
    .init("cross_entropy n64c1000", low: -4, high: 4),
    .init("cross_entropy n128c50 weighted smoothing0.1", low: -4, high: 4),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("cross_entropy n5c7"),
    .init("cross_entropy n5c7 reductionsum"),
    .init("cross_entropy n5c7 reductionnone"),
    .init("cross_entropy n9c5 weighted smoothing0.1"),
    .init("cross_entropy n9c5 weighted smoothing0.1 reductionnone"),
    .init("cross_entropy n4c6 probabilities"),
    .init("cross_entropy n4c6 probabilities weighted smoothing0.2 reductionsum"),
    .init("cross_entropy n3c1"),
    .init("cross_entropy n5c4", .saturated),
    .init("cross_entropy n2c3 smoothing1.0"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let hasProbabilities = choices.flag("probabilities", oneIn: 4)
      return try CrossEntropyProblem(
        batch: choices.size("N", SizeDomain(0...140, typical: [1, 8, 32, 128])), classes: choices.size("C", .classes),
        reduction: choices.option("reduction", CrossEntropyProblem.Reduction.allCases),
        ignoreIndex: hasProbabilities ? -100 : choices.option("ignore", [-100, 0], weights: [3, 1]),
        labelSmoothing: choices.option("smoothing", [0, 0.1, 1], weights: [4, 2, 1]),
        hasProbabilityTargets: hasProbabilities, hasClassWeights: choices.flag("weighted"))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
