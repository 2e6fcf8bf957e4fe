import Problems

extension SGDStep {
  public var roles: [String: OperandRole] { ["gradients": .values, "p": .values] }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("sgd_step n40c50 t5 lr0.1 momentum0.9 decay0.01")
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .none(because: "it has no backward pass")

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let momentum = choices.option("momentum", [0, 0.9, 0.5], weights: [2, 3, 1])
      let isNesterov = momentum > 0 && choices.flag("nesterov", oneIn: 3)
      let dampening = isNesterov ? 0 : choices.option("dampening", [0, 0.1, 0.9], weights: [3, 1, 1])
      let attributes = Attributes([
        "lr": .real(choices.option("lr", [0.1, 1e-3, 1])), "momentum": .real(momentum),
        "dampening": .real(dampening), "nesterov": .boolean(isNesterov),
        "weight_decay": .real(choices.option("decay", [0, 0.01, 0.5], weights: [3, 2, 1])),
      ])
      return try SGDStepProblem(attributes: attributes, operands: choices.stepOperands())
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
