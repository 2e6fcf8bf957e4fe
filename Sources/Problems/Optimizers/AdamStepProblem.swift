import Tensors

/// What Adam's and AdamW's problems have in common.
public protocol AdamFamilyProblem: OptimizerStepProblem {
  static var decouplesWeightDecay: Bool { get }
  var adam: AdamOptions { get }
  /// Whether the state before the first step is given; zeros otherwise.
  var hasMoments: Bool { get }
  init(parameterShape: Shape, stepCount: Int, adam: AdamOptions, firstStep: Int, hasMoments: Bool)
}

extension AdamFamilyProblem {
  public var options: OptimizerOptions { .adam(adam) }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let (shape, steps) = try Self.shapes(operands)
    let adam = try AdamOptions(attributes, decouplesWeightDecay: Self.decouplesWeightDecay)
    let firstStep = try attributes.integer("first_step", default: 1)
    guard firstStep >= 1, firstStep <= 1 << 40 else {
      throw ProblemError(.invalidArgument, "first_step", expected: "at least 1", found: "\(firstStep)")
    }
    let moments = Self.moments(adam.amsgrad)
    let hasMoments = moments.contains { operands.buffers[$0] != nil }
    for name in moments where hasMoments {
      guard try operands.buffer(name) == shape else {
        throw ProblemError(
          .shapeMismatch, "buffers/\(name)", expected: "shape \(shape), as parameters/p",
          found: operands.buffers[name].map { "shape \($0.shape)" } ?? "no tensor")
      }
    }
    self.init(parameterShape: shape, stepCount: steps, adam: adam, firstStep: firstStep, hasMoments: hasMoments)
  }

  static func moments(_ amsgrad: Bool) -> [String] {
    ["exp_avg", "exp_avg_sq"] + (amsgrad ? ["max_exp_avg_sq"] : [])
  }

  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    var operands = try stepOperands(from: &text)
    if text.flag("moments") {
      for name in moments(text.peek("amsgrad") != nil) { operands.buffers[name] = operands.parameters["p"] }
    }
    return operands
  }

  public var attributes: Attributes {
    var attributes = adam.attributes
    attributes["first_step"] = .integer(firstStep)
    return attributes
  }
  public var operands: Operands {
    let p = TensorType(parameterShape)
    var operands = Operands(inputs: ["gradients": TensorType(gradientsShape)], parameters: ["p": p])
    if hasMoments { for name in Self.moments(adam.amsgrad) { operands.buffers[name] = p } }
    return operands
  }
  public var shapeTokens: [String] {
    ProblemText.tokens(for: parameterShape) + ["t\(stepCount)"] + (hasMoments ? ["moments"] : [])
  }
  public var outputs: [String: TensorType] {
    let p = TensorType(parameterShape)
    return ["trajectory": TensorType(gradientsShape), "exp_avg": p, "exp_avg_sq": p]
  }
}

/// The steps of `torch.optim.Adam` on one parameter.
public struct AdamStepProblem: AdamFamilyProblem {
  public static let operation = "adam_step"
  public static let attributeTokens = AdamOptions.tokens(weightDecay: 0)
  public static let decouplesWeightDecay = false
  public let parameterShape: Shape
  public let stepCount: Int
  public let adam: AdamOptions
  public let firstStep: Int
  public let hasMoments: Bool

  public init(parameterShape: Shape, stepCount: Int, adam: AdamOptions, firstStep: Int, hasMoments: Bool) {
    self.parameterShape = parameterShape
    self.stepCount = stepCount
    self.adam = adam
    self.firstStep = firstStep
    self.hasMoments = hasMoments
  }
}

/// The steps of `torch.optim.AdamW` on one parameter.
public struct AdamWStepProblem: AdamFamilyProblem {
  public static let operation = "adamw_step"
  public static let attributeTokens = AdamOptions.tokens(weightDecay: 0.01)
  public static let decouplesWeightDecay = true
  public let parameterShape: Shape
  public let stepCount: Int
  public let adam: AdamOptions
  public let firstStep: Int
  public let hasMoments: Bool

  public init(parameterShape: Shape, stepCount: Int, adam: AdamOptions, firstStep: Int, hasMoments: Bool) {
    self.parameterShape = parameterShape
    self.stepCount = stepCount
    self.adam = adam
    self.firstStep = firstStep
    self.hasMoments = hasMoments
  }
}
