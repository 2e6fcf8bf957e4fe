import Problems
import Tensors

extension GroupNorm {
  public var roles: [String: OperandRole] {
    let roles: [String: OperandRole] = ["x": .values, "weight": .gain, "bias": .values]
    return roles.filter { hasOperand($0.key) }
  }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("group_norm n4c32h14w15 groups8"),
    .init("group_norm n2c64h7w6 groups32", low: 0),
    .init("group_norm n2c24h28w27 groups3", low: 2, high: 4),
    .init("group_norm n64c60 groups12"),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("group_norm n2c6h3w5 groups3"),
    .init("group_norm n3c4h3w2 groups1"),
    .init("group_norm n3c4h2w3 groups4"),
    .init("group_norm n2c4h3w2 noaffine groups2"),
    .init("group_norm n2c4h3w2 noweight groups2"),
    .init("group_norm n2c4h3w2 nobias groups2"),
    .init("group_norm n4c12 groups3"),
    .init("group_norm shape2x6x5 groups2"),
    .init("group_norm shape1x4x2x3x2 groups2"),
    // Of two values, the derivative is what cancels between 1 and x̂² = 1 − ε/(σ² + ε): a large ε leaves digits of it.
    .init("group_norm n3c4 groups2 eps0.1"),
    .init("group_norm n2c4h3w5 groups2 eps2.0"),
    .init("group_norm n2c4h3w5 groups2 eps0.0"),
    .init("group_norm n2c6h5w4 groups2", .shifted),
    .init("group_norm n2c6h5w4 groups2", .narrow),
    .init("group_norm n4c16h7w7 groups4"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let groups = choices.size("groups", SizeDomain(1...64, typical: [8, 32]))
      let channels = groups * choices.size("C/groups", SizeDomain(1...64, typical: [2, 4, 8, 16]))
      let n = choices.size("N", .batch)
      let rank = choices.option("rank", [2, 4, 3, 5], weights: [1, 5, 1, 1])
      let plane = rank == 4 ? choices.plane() : 1
      let axes =
        rank == 4 ? [plane.height, plane.width] : (2..<rank).map { choices.size("axis \($0)", .side) }
      let affine = choices.affine()
      return try GroupNormProblem(
        inputShape: Shape([n, channels] + axes), numGroups: groups,
        eps: choices.option("eps", [1e-5, 1e-3, 0.1], weights: [5, 1, 1]), hasWeight: affine.weight,
        hasBias: affine.bias)
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  /// As of batch normalisation: an average pool hands the last layer the same cotangent at every position.
  public static let judgementAsLayer = LayerJudgement(fill: .adversarial, countsInWorst: true)
  public static let trajectories: Set<String> = []
}
