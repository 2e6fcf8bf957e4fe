import GoldenFiles
import Problems
import Tensors

/// What decides whether an element is right.
public enum Allowance: Sendable {
  /// Equal values; −0 and +0 are equal.
  case byValue
  /// Equal to the expected value rounded once to a type of 16 bits.
  case byRoundedValue(DType)
  /// Within a bound for each element. `rule` says which one: `statistical` or `rigorous`.
  case within([Double], rule: String)
  /// Within what the file itself says.
  case tolerance(ToleranceOverride)

  var rule: String {
    switch self {
    case .byValue: "by value"
    case .byRoundedValue: "by value, rounded once"
    case .within(_, let rule): rule
    case .tolerance(let tolerance):
      [
        tolerance.absolute.map { "atol \($0)" }, tolerance.relative.map { "rtol \($0)" },
        tolerance.maximumULPs.map { "max_ulp \($0)" },
      ].compactMap { $0 }.joined(separator: ", ")
    }
  }

  /// What an element is compared with.
  func target(_ expected: Double) -> Double {
    if case .byRoundedValue(let dtype) = self { dtype.format?.rounded(expected) ?? expected } else { expected }
  }

  /// The bound of one element.
  func bound(at offset: Int, expected: Double, dtype: DType) -> Double {
    switch self {
    case .byValue, .byRoundedValue: return 0
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
  /// What a candidate of 16 bits keeps its sums in.
  public let accumulate: DType

  public init(fill: Fill, candidate: DType, oracle: DType, accumulate: DType = .float32) {
    self.fill = fill
    self.candidate = candidate
    self.oracle = oracle
    self.accumulate = accumulate
  }

  /// - exact fill: by value, where the operation and the engine's algorithm are exact; else the rigorous bound.
  /// - random fill: the statistical bound limited by the rigorous one.
  /// - adversarial: the rigorous bound.
  ///
  /// The oracle's own rounding, by the same bound in its precision, is added. In 16 bits sums are bounded as ``accumulate`` computes
  /// them, and each result may be rounded once more, by `u·|y| + η`; where nothing else rounds, that rounding alone is right.
  /// - Parameters:
  ///   - path: the tensor's, as in the file.
  ///   - expected: what the file says of it.
  ///   - model: the operation's bounds for this case.
  ///   - singles: the oracle's own results in float32, where the file has it.
  /// - Returns: `nil` where neither the file nor a model says what is allowed.
  public func allowance(
    for path: String, expected: ExpectedTensor, model: (any BoundModel)?, singles: AnyTensor? = nil
  ) -> Allowance? {
    // What a file allows of float32 and float64 says nothing of 16 bits.
    if !expected.tolerance.isEmpty, !candidate.isNarrow { return .tolerance(expected.tolerance) }
    if let singles, let allowance = trajectory(expected, singles) { return allowance }
    if expected.isInteger { return .byValue }
    guard let model, let oracleRounding = Rounding(oracle),
      let sums = Rounding(candidate.isNarrow ? accumulate : candidate)
    else { return nil }
    let roundsSums = candidate.isNarrow && accumulate.isNarrow
    if fill == .exact, !roundsSums, model.isExact(path) { return byValue }
    guard let own = model.bounds(of: path, in: sums), let oracle = model.bounds(of: path, in: oracleRounding) else {
      return nil
    }
    // Of sums in 16 bits the rigorous bound says nothing from 256 or 2048 terms on: γ is infinite there.
    let statistical = fill == .random || roundsSums
    let (first, second) = statistical ? (own.tightest, oracle.tightest) : (own.rigorous, oracle.rigorous)
    if first.allSatisfy({ $0 == 0 }) { return byValue }
    var bounds = first
    add(second, to: &bounds)
    if let stored = stored(expected) { add(stored, to: &bounds) }
    return .within(bounds, rule: statistical && own.statistical != nil ? Self.statistical : "rigorous")
  }

  /// What the errors of a whole tensor are held to, beside each element's bound.
  /// - Parameter allowance: what ``allowance(for:expected:model:singles:)`` gave.
  /// - Returns: `nil` where anything but the statistical bound of independent random operands decides.
  func distribution(
    of path: String, expected: ExpectedTensor, model: (any BoundModel)?, allowance: Allowance
  ) -> ErrorDistribution? {
    // Sums in 16 bits stand still from some length on, within each element's bound. In double precision operands are mostly such
    // as float32 holds, and of their products' 48 bits a sum leaves out a few: where partial sums grow to one side, which ones has
    // to do with the sum, and so have the errors.
    guard fill == .random, !(candidate.isNarrow && accumulate.isNarrow), case .within(_, Self.statistical) = allowance,
      expected.shape.count >= ErrorDistribution.leastElements, let model, let spread = model.spread(of: path),
      let sums = Rounding(candidate.isNarrow ? accumulate : candidate), let rounding = Rounding(oracle),
      !(candidate == .float64 && spread.leans), let own = model.bounds(of: path, in: sums)?.statistical,
      let oracle = model.bounds(of: path, in: rounding)?.statistical
    else { return nil }
    var values: [Double] = []
    if candidate.isNarrow {
      guard case .whole(let tensor) = expected.value else { return nil }
      values = tensor.doubles.elements
    }
    return ErrorDistribution(
      own: own, oracle: oracle, storage: candidate.isNarrow ? candidate : nil, values: values, spread: spread,
      rounding: sums)
  }

  private static let statistical = "statistical"

  private var byValue: Allowance { candidate.isNarrow ? .byRoundedValue(candidate) : .byValue }

  private func add(_ terms: [Double], to bounds: inout [Double]) {
    for i in bounds.indices { bounds[i] += terms[i] }
  }

  /// What storing each result in 16 bits may cost: half a spacing.
  private func stored(_ expected: ExpectedTensor) -> [Double]? {
    guard candidate.isNarrow, case .whole(let tensor) = expected.value else { return nil }
    return tensor.doubles.elements.map(StoredRounding(candidate).bound)
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

/// What storing a result in its type may cost besides the sums' own rounding: half a spacing in types of 16 bits, `u·|y| + η`; nothing
/// in the others, whose sums are in the type already.
struct StoredRounding {
  private let rounding: Rounding?

  init(_ dtype: DType) { rounding = dtype.isNarrow ? Rounding(dtype) : nil }

  func bound(_ value: Double) -> Double { rounding.map { $0.unit * abs(value) + $0.underflow } ?? 0 }
}
