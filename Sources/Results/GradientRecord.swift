/// What a gradient check found. INCONCLUSIVE is never a pass.
public enum GradientVerdict: String, Codable, Sendable, CaseIterable {
  case pass = "PASS"
  case fail = "FAIL"
  /// The derivative could not be determined well enough to judge, and the record says why.
  case inconclusive = "INCONCLUSIVE"
  /// The check itself could not be made: bad input, a closure that threw, a forward pass that is not deterministic.
  case error = "ERROR"
  case unsupported = "UNSUPPORTED"

  /// The worse of two: an error hides nothing, a failure outranks a doubt.
  public static func worse(_ first: Self, _ second: Self) -> Self {
    let order: [Self] = [.pass, .unsupported, .inconclusive, .fail, .error]
    return (order.firstIndex(of: first) ?? 0) >= (order.firstIndex(of: second) ?? 0) ? first : second
  }
}

/// How the derivative was determined that the analytic one is held against.
public enum GradientMethod: String, Codable, Sendable, CaseIterable {
  /// vᵀ(Ju) = (Jᵀv)ᵀu on integers, without rounding.
  case adjoint = "exact adjoint"
  /// Every column of a linear map on integers, without rounding.
  case columns = "exact columns"
  /// Dual numbers through the generic reference.
  case dual
  /// Finite differences with an error estimate for each element.
  case differences
  /// One directional derivative by finite differences, bisected where it disagrees.
  case projection
  /// The same by dual numbers.
  case dualProjection = "dual projection"
}

/// One function whose backward pass was checked.
public struct GradientRecord: Codable, Sendable {
  /// The problem's text form, a golden case's path, or the caller's name.
  public var name: String
  public var engine: String
  /// The type that the backward pass computed in.
  public var dtype: String
  public var seed: UInt64
  public var verdict: GradientVerdict
  /// Why it is not a pass, where the tensors below do not say.
  public var reason: String?
  public var tensors: [GradientTensorRecord]
  public var contracts: [GradientContractRecord]
  public var cost: GradientCost
  /// How the finite differences' error estimates compare with the dual oracle, where there are both.
  public var calibration: GradientCalibration?
  public var seconds: Double
  /// The command that reproduces it.
  public var reproduce: String?
  /// The numbers of threads that an engine was asked with, in order. Absent for the reference's own code, and in runs of earlier
  /// versions.
  public var threads: [Int]?

  public init(name: String, engine: String, dtype: String, seed: UInt64) {
    self.name = name
    self.engine = engine
    self.dtype = dtype
    self.seed = seed
    verdict = .pass
    tensors = []
    contracts = []
    cost = GradientCost()
    seconds = 0
  }
}

/// Evaluations made, beside what `torch.autograd.gradcheck` would make in its slow mode.
public struct GradientCost: Codable, Sendable {
  public var forward = 0
  public var backward = 0
  /// Passes over the generic forward with eight directions each.
  public var dual = 0
  /// Two forwards an input element and two backwards an output element.
  public var torchForward = 0
  public var torchBackward = 0

  public init() {}
}

/// One operand's gradient, judged element by element with one method.
public struct GradientTensorRecord: Codable, Sendable {
  public var tensor: String
  public var shape: [Int]
  public var method: GradientMethod
  public var verdict: GradientVerdict
  public var reason: String?
  public var elementCount: Int
  public var failedCount: Int
  public var inconclusiveCount: Int
  /// Elements where the function has a kink: held against the one-sided derivatives.
  public var kinkCount: Int
  /// The largest |analytic − numeric| / bound.
  public var worstRatio: Double
  public var worstElement: GradientElementRecord?
  /// The largest bound of a numeric derivative, relative to the terms Σ|vᵢ·Jᵢⱼ| that it is a sum of.
  public var worstResolution: Double
  public var medianResolution: Double
  /// What the indices of the failing elements have in common.
  public var pattern: String?
  /// The mistake that makes such a pattern, where it is a known one.
  public var hint: String?
  /// The failing and inconclusive elements, at most ``badElementLimit``.
  public var badElements: [GradientElementRecord]

  public static let badElementLimit = 64

  public init(tensor: String, shape: [Int], method: GradientMethod, elementCount: Int) {
    self.tensor = tensor
    self.shape = shape
    self.method = method
    self.elementCount = elementCount
    verdict = .pass
    failedCount = 0
    inconclusiveCount = 0
    kinkCount = 0
    worstRatio = 0
    worstResolution = 0
    medianResolution = 0
    badElements = []
  }
}

/// One element of a gradient.
public struct GradientElementRecord: Codable, Sendable {
  public var tensor: String
  public var index: [Int]
  public var analytic: Double
  public var numeric: Double
  public var difference: Double
  /// Of the numeric derivative: what the ladder has not converged yet.
  public var truncation: Double
  /// Of the numeric derivative: what the function's own rounding makes of it.
  public var rounding: Double
  /// Of the analytic derivative.
  public var analyticRounding: Double
  /// The finest step of the level chosen; 0 where no step was needed.
  public var step: Double
  public var verdict: GradientVerdict
  public var reason: String?

  /// What the difference is held against.
  public var bound: Double { truncation + rounding + analyticRounding }

  public init(
    tensor: String, index: [Int], analytic: Double, numeric: Double, truncation: Double, rounding: Double,
    analyticRounding: Double, step: Double, verdict: GradientVerdict, reason: String?
  ) {
    self.tensor = tensor
    self.index = index
    self.analytic = analytic
    self.numeric = numeric
    difference = analytic - numeric
    self.truncation = truncation
    self.rounding = rounding
    self.analyticRounding = analyticRounding
    self.step = step
    self.verdict = verdict
    self.reason = reason
  }
}

/// A property that every backward pass of its kind has, whatever the values.
public struct GradientContractRecord: Codable, Sendable {
  public var name: String
  public var verdict: GradientVerdict
  /// Where and by how much it does not hold.
  public var detail: String?

  public init(name: String, verdict: GradientVerdict, detail: String? = nil) {
    self.name = name
    self.verdict = verdict
    self.detail = detail
  }
}

/// How often |finite difference − dual| exceeded the sum of their error estimates.
public struct GradientCalibration: Codable, Sendable {
  public var elements = 0
  public var exceeded = 0
  /// The largest difference relative to the estimate.
  public var worstRatio = 0.0

  public init() {}

  public mutating func merge(_ other: Self) {
    elements += other.elements
    exceeded += other.exceeded
    worstRatio = max(worstRatio, other.worstRatio)
  }
}
