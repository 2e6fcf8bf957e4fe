import Problems

extension LayerNorm {
  public var roles: [String: OperandRole] {
    let roles: [String: OperandRole] = ["x": .values, "weight": .gain, "bias": .values]
    return roles.filter { hasOperand($0.key) }
  }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("layer_norm n64c384 dims1"),
    .init("layer_norm n4c8h14w15 dims3", low: 0),
    .init("layer_norm shape6x40x97 dims2", low: 2, high: 4),
    .init("layer_norm shape37x5x24 dims1"),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("layer_norm n3c10 dims1"),
    .init("layer_norm shape2x5x7 dims2"),
    .init("layer_norm shape2x3x5 dims1"),
    .init("layer_norm n2c3h4w3 dims3"),
    .init("layer_norm n2c3h2w5 dims2"),
    // One row: dγ and dβ have one term each.
    .init("layer_norm n3c4 dims2"),
    .init("layer_norm shape9 dims1"),
    .init("layer_norm shape2x2x3x2x2 dims3"),
    .init("layer_norm shape2x5x7 noaffine dims2"),
    .init("layer_norm n4c6 noweight dims1"),
    .init("layer_norm n4c6 nobias dims1"),
    // Of two values, the derivative is what cancels between 1 and x̂² = 1 − ε/(σ² + ε): a large ε leaves digits of it.
    .init("layer_norm n4c2 dims1 eps0.1"),
    .init("layer_norm n3c12 dims1 eps2.0"),
    .init("layer_norm n3c12 dims1 eps0.0"),
    .init("layer_norm n4c20 dims1", .shifted),
    .init("layer_norm n4c20 dims1", .narrow),
    .init("layer_norm n8c96 dims1"),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let shape = choices.shape(ranks: [2, 3, 1, 4, 5], weights: [4, 3, 1, 2, 1])
      let dims = choices.option("dims", Array(1...shape.rank))
      let affine = choices.affine()
      return try LayerNormProblem(
        inputShape: shape, normalizedDims: dims, eps: choices.option("eps", [1e-5, 1e-3, 0.1], weights: [5, 1, 1]),
        hasWeight: affine.weight, hasBias: affine.bias)
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  /// As of batch normalisation: an average pool hands the last layer the same cotangent at every position.
  public static let judgementAsLayer = LayerJudgement(fill: .adversarial, countsInWorst: true)
  public static let trajectories: Set<String> = []
}
