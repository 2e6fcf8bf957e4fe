import Problems
import Tensors

extension AdaptiveAvgPool2d {
  public var roles: [String: OperandRole] { ["x": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("adaptive_avg_pool2d n4c32h14w15 output3x4"),
    .init("adaptive_avg_pool2d n4c64h7w7 output1", low: 0),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("adaptive_avg_pool2d n2c3h7w7 output1"),
    .init("adaptive_avg_pool2d n2c2h7w5 output3x2"),
    .init("adaptive_avg_pool2d n1c2h3w2 output5x4"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let (n, c) = (choices.size("N", .batch), choices.size("C", .channels))
      let plane = choices.plane()
      return try AdaptiveAvgPool2dProblem(
        inputShape: Shape(n, c, plane.height, plane.width),
        outputSize: choices.plane(("P", "Q"), SizeDomain(1...20, typical: [1, 7])))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
