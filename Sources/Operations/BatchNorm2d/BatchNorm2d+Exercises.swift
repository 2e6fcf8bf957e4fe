import Problems
import Tensors

extension BatchNorm2d {
  public var roles: [String: OperandRole] {
    let roles: [String: OperandRole] = [
      "x": .values, "weight": .gain, "bias": .values, "running_mean": .mean, "running_var": .variance,
      "num_batches_tracked": .counter,
    ]
    return roles.filter { hasOperand($0.key) }
  }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("batch_norm2d n8c16h14w15 training"),
    .init("batch_norm2d n2c64h7w6 training", low: 0),
    .init("batch_norm2d n32c4h28w27 training", low: 2, high: 4),
    .init("batch_norm2d n4c32h14w13"),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("batch_norm2d n3c4h3w5 training"),
    .init("batch_norm2d n3c4h3w5"),
    .init("batch_norm2d n2c3h4w3 norunning"),
    .init("batch_norm2d n2c3h4w3 noaffine training"),
    .init("batch_norm2d n2c3h4w3 noweight training"),
    .init("batch_norm2d n2c3h4w3 nobias"),
    // Of two values, the derivative is what cancels between 1 and x̂² = 1 − ε/(σ² + ε): a large ε leaves digits of it.
    .init("batch_norm2d n2c2h1w1 training eps0.1"),
    .init("batch_norm2d n1c2h3w4 training eps0.001"),
    .init("batch_norm2d n3c2h3w4 training eps0.0"),
    .init("batch_norm2d n2c3h5w4 training", .shifted),
    .init("batch_norm2d n2c3h5w4 training", .narrow),
    .init("batch_norm2d n8c2h14w14 training"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let training = choices.flag("training")
      let affine = choices.affine()
      // NaN: cumulative, an average over the batches that were counted.
      let momentum = choices.option("momentum", [0.1, 0.5, 1, 0, .nan], weights: [4, 1, 1, 1, 1])
      let tracks = choices.flag("tracked") || momentum.isNaN
      let usesBatch = training || !tracks
      let (n, c) = (choices.size("N", .batch, atLeast: usesBatch ? 1 : 0), choices.size("C", .channels))
      // One value has no variance.
      let plane = choices.plane(atLeast: Pair(1, usesBatch && n == 1 ? 2 : 1))
      return try BatchNorm2dProblem(
        inputShape: Shape(n, c, plane.height, plane.width), training: training,
        momentum: momentum.isNaN ? nil : momentum,
        eps: choices.option("eps", [1e-5, 1e-3, 0.1, 0], weights: [5, 1, 1, 1]), hasWeight: affine.weight,
        hasBias: affine.bias, tracksRunningStatistics: tracks,
        countsBatches: momentum.isNaN || (tracks && choices.flag("counted")))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  /// An average pool hands the last batch norm the same cotangent at every position. Adding one value over and over rounds the
  /// same way for long stretches, which the statistical bound takes for independent: the rigorous one holds there.
  public static let judgementAsLayer = LayerJudgement(fill: .adversarial, countsInWorst: true)
  public static let trajectories: Set<String> = []
}
