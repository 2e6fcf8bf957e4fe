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
  /// - Returns: `nil` where neither the file nor a model says what is allowed.
  public func allowance(
    for path: String, expected: ExpectedTensor, model: (any BoundModel)?
  ) -> Allowance? {
    if !expected.tolerance.isEmpty { return .tolerance(expected.tolerance) }
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
}
