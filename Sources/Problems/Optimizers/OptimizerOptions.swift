/// How parameters follow their gradients: names and defaults of `torch.optim`.
public enum OptimizerOptions: Hashable, Sendable {
  case sgd(SGDOptions)
  case adam(AdamOptions)

  /// `sgd`, `adam` or `adamw`.
  public var name: String {
    switch self {
    case .sgd: "sgd"
    case .adam(let options): options.decouplesWeightDecay ? "adamw" : "adam"
    }
  }

  public var learningRate: Double {
    switch self {
    case .sgd(let options): options.learningRate
    case .adam(let options): options.learningRate
    }
  }

  /// - Throws: ``ProblemError`` for an unknown name or a value that the optimiser refuses.
  public init(name: String, attributes: Attributes) throws(ProblemError) {
    switch name {
    case "sgd": self = .sgd(try SGDOptions(attributes))
    case "adam": self = .adam(try AdamOptions(attributes, decouplesWeightDecay: false))
    case "adamw": self = .adam(try AdamOptions(attributes, decouplesWeightDecay: true))
    default:
      throw ProblemError(.invalidArgument, "optimizer", expected: "one of sgd, adam, adamw", found: "'\(name)'")
    }
  }

  public var attributes: Attributes {
    switch self {
    case .sgd(let options): options.attributes
    case .adam(let options): options.attributes
    }
  }
}

/// Stochastic gradient descent, as `torch.optim.SGD`.
public struct SGDOptions: Hashable, Sendable {
  public let learningRate: Double
  public let momentum: Double
  public let dampening: Double
  public let nesterov: Bool
  public let weightDecay: Double

  /// - Throws: ``ProblemError`` for values that PyTorch refuses too.
  public init(
    learningRate: Double, momentum: Double = 0, dampening: Double = 0, nesterov: Bool = false, weightDecay: Double = 0
  ) throws(ProblemError) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.dampening = dampening
    self.nesterov = nesterov
    self.weightDecay = weightDecay
    try requireNonNegative([("lr", learningRate), ("momentum", momentum), ("weight_decay", weightDecay)])
    if nesterov, momentum <= 0 || dampening != 0 {
      throw ProblemError(
        .invalidArgument, "nesterov", expected: "a momentum and no dampening with nesterov",
        found: "momentum \(momentum), dampening \(dampening)")
    }
  }

  init(_ attributes: Attributes) throws(ProblemError) {
    try self.init(
      learningRate: attributes.real("lr", default: nil), momentum: attributes.real("momentum", default: 0),
      dampening: attributes.real("dampening", default: 0), nesterov: attributes.boolean("nesterov", default: false),
      weightDecay: attributes.real("weight_decay", default: 0))
  }

  var attributes: Attributes {
    Attributes([
      "lr": .real(learningRate), "momentum": .real(momentum), "dampening": .real(dampening),
      "nesterov": .boolean(nesterov), "weight_decay": .real(weightDecay),
    ])
  }

  static let tokens: [AttributeToken] = [
    .real("lr", "lr"), .real("momentum", "momentum", omitting: .real(0)),
    .real("dampening", "dampening", omitting: .real(0)), .flag("nesterov", "nesterov"),
    .real("decay", "weight_decay", omitting: .real(0)),
  ]
}

/// Adam and AdamW, as `torch.optim.Adam` and `torch.optim.AdamW`.
public struct AdamOptions: Hashable, Sendable {
  public let learningRate: Double
  public let beta1: Double
  public let beta2: Double
  public let eps: Double
  public let weightDecay: Double
  public let amsgrad: Bool
  /// AdamW: the decay shrinks the parameter, and is no part of the gradient.
  public let decouplesWeightDecay: Bool

  /// - Parameters:
  ///   - learningRate: lr.
  ///   - betas: β₁ and β₂.
  ///   - eps: ε, outside the root.
  ///   - weightDecay: 0 when absent, 0.01 with `decouplesWeightDecay`.
  ///   - amsgrad: whether the largest second moment so far divides.
  ///   - decouplesWeightDecay: AdamW in place of Adam.
  /// - Throws: ``ProblemError`` for values that PyTorch refuses too.
  public init(
    learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8,
    weightDecay: Double? = nil, amsgrad: Bool = false, decouplesWeightDecay: Bool = false
  ) throws(ProblemError) {
    self.learningRate = learningRate
    (beta1, beta2) = betas
    self.eps = eps
    self.weightDecay = weightDecay ?? (decouplesWeightDecay ? 0.01 : 0)
    self.amsgrad = amsgrad
    self.decouplesWeightDecay = decouplesWeightDecay
    try requireNonNegative([("lr", learningRate), ("eps", eps), ("weight_decay", self.weightDecay)])
    for beta in [beta1, beta2] where !(beta >= 0 && beta < 1) {
      throw ProblemError(.invalidArgument, "betas", expected: "two numbers from 0 to below 1", found: "\(beta)")
    }
  }

  init(_ attributes: Attributes, decouplesWeightDecay: Bool) throws(ProblemError) {
    try self.init(
      learningRate: attributes.real("lr", default: 1e-3), betas: attributes.realPair("betas", default: (0.9, 0.999)),
      eps: attributes.real("eps", default: 1e-8),
      weightDecay: attributes["weight_decay"] == nil ? nil : attributes.real("weight_decay", default: nil),
      amsgrad: attributes.boolean("amsgrad", default: false), decouplesWeightDecay: decouplesWeightDecay)
  }

  var attributes: Attributes {
    Attributes([
      "lr": .real(learningRate), "betas": .reals([beta1, beta2]), "eps": .real(eps),
      "weight_decay": .real(weightDecay), "amsgrad": .boolean(amsgrad),
    ])
  }

  static func tokens(weightDecay: Double) -> [AttributeToken] {
    [
      .real("lr", "lr", omitting: .real(1e-3)), .real("betas", "betas", omitting: .reals([0.9, 0.999])),
      .real("eps", "eps", omitting: .real(1e-8)), .real("decay", "weight_decay", omitting: .real(weightDecay)),
      .flag("amsgrad", "amsgrad"), .integer("from", "first_step", omitting: .integer(1)),
    ]
  }
}

private func requireNonNegative(_ values: [(name: String, value: Double)]) throws(ProblemError) {
  for (name, value) in values where !(value >= 0 && value.isFinite) {
    throw ProblemError(.invalidArgument, name, expected: "a finite number ≥ 0", found: "\(value)")
  }
}
