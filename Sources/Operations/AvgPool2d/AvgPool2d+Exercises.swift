import Problems

extension AvgPool2d {
  public var roles: [String: OperandRole] { ["x": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("avg_pool2d n2c16h30w31 kernel3 stride2 pad1"),
    .init("avg_pool2d n2c16h28w27 kernel7 stride7", low: 0),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("avg_pool2d n2c3h7w8 kernel3 stride2 pad1"),
    .init("avg_pool2d n2c3h7w8 kernel3 stride2 pad1 excludepad"),
    .init("avg_pool2d n1c2h7w6 kernel2x3 stride2x3 ceil"),
    .init("avg_pool2d n1c2h7w6 kernel3 stride2 pad1 ceil excludepad"),
    .init("avg_pool2d n1c2h7w6 kernel3 stride2 divisor5"),
    .init("avg_pool2d n2c2h6w8 kernel2 stride2"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let window = DrawnWindow(&choices)
      let divisor = choices.option("divisor", [0, 1, 2, 5, -3], weights: [8, 1, 1, 1, 1])
      return try AvgPool2dProblem(
        inputShape: window.inputShape, kernelSize: window.kernelSize, stride: window.stride, padding: window.padding,
        ceilMode: choices.flag("ceil"), countIncludePad: !choices.flag("excludepad"),
        divisorOverride: divisor == 0 ? nil : divisor)
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
