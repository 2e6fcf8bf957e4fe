import Problems

extension Linear {
  public var roles: [String: OperandRole] {
    ["x": .values, "weight": .values, "bias": .values].filter { hasOperand($0.key) }
  }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("linear n64c512 k64"),
    .init("linear n256c100 k40", low: 0),
    .init("linear n200c7 k300 nobias"),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("linear n5c7 k6"),
    .init("linear n1c1 k1"),
    .init("linear n3c17 k5 nobias"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      try LinearProblem(
        batch: choices.size("N", SizeDomain(0...140, typical: [1, 8, 32, 128])),
        inputFeatures: choices.size("C", .extent), outputFeatures: choices.size("K", .classes),
        hasBias: choices.flag("bias"))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
