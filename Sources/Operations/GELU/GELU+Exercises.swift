import Problems

extension GELU {
  public var roles: [String: OperandRole] { ["x": .values] }

  /// Where most activations lie, where Φ saturates, and far beyond.
  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some(
    ["", " approximatetanh"].flatMap { form in
      [
        CalibrationProblem("gelu n4c16h20w21\(form)", low: -3, high: 3),
        CalibrationProblem("gelu n4c16h20w21\(form)", low: -9, high: 9),
        CalibrationProblem("gelu n16c1000\(form)", low: -40, high: 40),
        CalibrationProblem("gelu n16c1000\(form)", low: -0x1p-120, high: 0x1p-120),
      ]
    })

  public static let gradientCases: Applicable<[GradientCase]> = .some(
    ["", " approximatetanh"].flatMap { form in
      [
        GradientCase("gelu n2c3h4w5\(form)"),
        GradientCase("gelu n2c3h4w5\(form)", .saturated),
        GradientCase("gelu n3c7\(form)", .ties),
        GradientCase("gelu n3c7\(form)", .narrow),
        GradientCase("gelu shape\(form)"),
      ]
    })

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices in
      GELUProblem(
        inputShape: choices.anyShape(),
        approximation: choices.option("approximate", [.none, .tanh]))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
