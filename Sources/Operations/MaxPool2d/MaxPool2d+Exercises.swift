import Problems

extension MaxPool2d {
  public var roles: [String: OperandRole] { ["x": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("max_pool2d n2c16h30w31 kernel3 stride2 pad1")
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("max_pool2d n2c3h7w8 kernel3 stride2 pad1"),
    .init("max_pool2d n2c3h7w8 kernel3 stride2 pad1", .ties),
    .init("max_pool2d n1c2h7w6 kernel2x3 stride2x1 pad1x0 ceil"),
    .init("max_pool2d n1c2h9w8 kernel2 stride1 dilation3"),
    .init("max_pool2d n1c2h6w6 kernel3 stride1", .ties),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let window = DrawnWindow(&choices, dilations: [1, 2, 3])
      return try MaxPool2dProblem(
        inputShape: window.inputShape, kernelSize: window.kernelSize, stride: window.stride, padding: window.padding,
        dilation: window.dilation, ceilMode: choices.flag("ceil"))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
