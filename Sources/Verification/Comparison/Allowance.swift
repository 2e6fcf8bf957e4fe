import GoldenFiles
import Tensors

/// What decides whether an element is right.
public enum Allowance: Sendable {
  /// Equal values; −0 and +0 are equal.
  case byValue
  /// Within a bound for each element. `rule` says which one: `statistical` or `rigorous`.
  case within([Double], rule: String)
  /// Within what the file itself says.
  case tolerance(ToleranceOverride)

  var rule: String {
    switch self {
    case .byValue: "by value"
    case .within(_, let rule): rule
    case .tolerance(let tolerance):
      [
        tolerance.absolute.map { "atol \($0)" }, tolerance.relative.map { "rtol \($0)" },
        tolerance.maximumULPs.map { "max_ulp \($0)" },
      ].compactMap { $0 }.joined(separator: ", ")
    }
  }

  /// The bound of one element.
  func bound(at offset: Int, expected: Double, dtype: DType) -> Double {
    switch self {
    case .byValue: return 0
    case .within(let bounds, _): return bounds.indices.contains(offset) ? bounds[offset] : .nan
    case .tolerance(let tolerance):
      let near = (tolerance.absolute ?? 0) + (tolerance.relative ?? 0) * abs(expected)
      return max(near, (tolerance.maximumULPs ?? 0) * ULPs.size(at: expected, dtype))
    }
  }

  /// The bounds of a whole tensor.
  func bounds(expected: [Double], dtype: DType) -> [Double] {
    if case .within(let bounds, _) = self, bounds.count == expected.count { return bounds }
    return expected.indices.map { bound(at: $0, expected: expected[$0], dtype: dtype) }
  }
}

/// Chooses the allowance of an expected tensor.
public struct AllowanceRules: Sendable {
  public let fill: Fill
  public let candidate: DType
  public let oracle: DType

  public init(fill: Fill, candidate: DType, oracle: DType) {
    self.fill = fill
    self.candidate = candidate
    self.oracle = oracle
  }

  /// - exact fill: by value, where the operation and the engine's algorithm are exact; else the rigorous bound.
  /// - random fill: the statistical bound limited by the rigorous one.
  /// - adversarial: the rigorous bound.
  ///
  /// The oracle's own rounding, by the same bound in its precision, is added.
  /// - Parameters:
  ///   - path: the tensor's, such as `outputs/y`.
  ///   - expected: what the file holds for it.
  ///   - model: the operation's bounds, where it has any.
  ///   - singles: the oracle's own results in float32, where the file has them.
  /// - Returns: `nil` where neither the file nor a model says what is allowed.
  public func allowance(
    for path: String, expected: ExpectedTensor, model: (any BoundModel)?, singles: AnyTensor? = nil
  ) -> Allowance? {
    if !expected.tolerance.isEmpty { return .tolerance(expected.tolerance) }
    if let singles, let allowance = trajectory(expected, singles) { return allowance }
    if expected.isInteger { return .byValue }
    guard let model, let candidateRounding = Rounding(candidate), let oracleRounding = Rounding(oracle) else {
      return nil
    }
    if fill == .exact, model.isExact(path) { return .byValue }
    guard let own = model.bounds(of: path, in: candidateRounding),
      let oracle = model.bounds(of: path, in: oracleRounding)
    else { return nil }
    let statistical = fill == .random
    let (first, second) = statistical ? (own.tightest, oracle.tightest) : (own.rigorous, oracle.rigorous)
    if first.allSatisfy({ $0 == 0 }) { return .byValue }
    return .within(
      zip(first, second).map(+), rule: statistical && own.statistical != nil ? "statistical" : "rigorous")
  }

  /// The losses of a training run, whose rounding each step amplifies. In float32 ten times the largest gap so far between the
  /// oracle's float32 runs and its float64 run, at least one rounding of the loss: runs may come close to each other by
  /// chance, but what has come apart stays so. In float64 a relative 1e-8.
  /// - Parameter singles: (runs, steps).
  private func trajectory(_ expected: ExpectedTensor, _ singles: AnyTensor) -> Allowance? {
    guard case .whole(let tensor) = expected.value, tensor.shape.rank == 1, singles.shape.rank == 2,
      singles.shape[1] == tensor.shape[0]
    else { return nil }
    let (losses, runs) = (tensor.doubles.elements, singles.doubles.elements)
    if candidate == .float64 {
      return .within(losses.map { Self.trajectoryTolerance * abs($0) }, rule: "relative \(Self.trajectoryTolerance)")
    }
    var gap = 0.0
    let bounds = losses.indices.map { step in
      gap = max(gap, Rounding.float32.unit * abs(losses[step]))
      for run in stride(from: step, to: runs.count, by: losses.count) { gap = max(gap, abs(runs[run] - losses[step])) }
      return Self.trajectoryGaps * gap
    }
    return .within(bounds, rule: "\(Int(Self.trajectoryGaps)) × the oracle's gap between float32 and float64")
  }

  private static let trajectoryTolerance = 1e-8
  private static let trajectoryGaps = 10.0
}
