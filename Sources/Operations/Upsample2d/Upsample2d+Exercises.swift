import Problems
import Tensors

extension Upsample2d {
  public var roles: [String: OperandRole] { ["x": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("upsample2d n2c8h14w13 modebilinear scale2.0"),
    .init("upsample2d n2c8h14w13 modebilinear size29x17"),
    .init("upsample2d n2c8h14w13 scale2.0"),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("upsample2d n2c2h3w4 size6x8"),
    .init("upsample2d n1c2h3w4 size7x5"),
    .init("upsample2d n1c2h3w4 scale2.0"),
    .init("upsample2d n2c2h3w4 modebilinear size7x5"),
    .init("upsample2d n1c2h3w4 modebilinear scale2.0 aligned"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let mode = choices.option("mode", Upsample2dProblem.Mode.allCases)
      let (n, c) = (choices.size("N", .batch), choices.size("C", .channels))
      let scales = choices.flag("scaled")
      let height = scales ? choices.option("scale.h", [1, 2, 3, 0.5, 1.5, 0.75]) : 1
      let width = scales ? choices.option("scale.w", [1, 2, 3, 0.5, 1.5, 0.75]) : 1
      // A factor below 1 needs something to shrink.
      let plane = choices.plane(atLeast: Pair(height < 1 ? 2 : 1, width < 1 ? 2 : 1))
      return try Upsample2dProblem(
        inputShape: Shape(n, c, plane.height, plane.width), mode: mode,
        target: scales
          ? .scaleFactor(height: height, width: width) : .size(choices.plane(("P", "Q"), SizeDomain(1...70))),
        alignCorners: mode == .bilinear && choices.flag("aligned"))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
