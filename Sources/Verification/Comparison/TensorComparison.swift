import Engines
import GoldenFiles
import Problems
import Results
import Tensors

/// Compares an engine's tensor with an expected one, element by element.
public struct TensorComparison: Sendable {
  public let path: String
  public let expected: ExpectedTensor
  public let allowance: Allowance
  /// The type that floats were asked for in.
  public let dtype: DType
  /// The algorithms whose bounds widen the allowance beyond the definition's; `nil` where none does.
  public let widening: String?
  /// What the errors are held to as a whole; `nil` where each is judged on its own alone.
  var distribution: ErrorDistribution?

  public init(
    path: String, expected: ExpectedTensor, allowance: Allowance, dtype: DType, widening: String? = nil
  ) {
    self.path = path
    self.expected = expected
    self.allowance = allowance
    self.dtype = dtype
    self.widening = widening
  }

  /// - Parameter answer: `nil` when the engine gave no tensor of this name.
  public func compare(_ answer: AnyTensor?) -> TensorResult {
    var result = TensorResult(
      path: path, shape: expected.shape.dimensions, rule: allowance.rule, overrideReason: overrideReason)
    if case .within = allowance { result.widening = widening }
    guard let answer else {
      result.problem = "missing: the engine gave no \(path)"
      return result
    }
    guard answer.shape == expected.shape else {
      result.problem = "shape \(answer.shape), expected \(expected.shape)"
      return result
    }
    let wantedType = expected.isInteger ? DType.int64 : dtype
    guard answer.dtype == wantedType else {
      result.problem = "dtype \(answer.dtype.rawValue), expected \(wantedType.rawValue)"
      return result
    }
    let unwritten = UnwrittenMark.positions(in: answer)
    if !unwritten.isEmpty {
      result.failing = unwritten.count
      result.worstRatio = .infinity
      result.pattern = FailurePattern.describe(unwritten, in: answer.shape, compared: answer.shape.count)
      result.map = FailureMap(failing: unwritten, shape: answer.shape.dimensions)
      result.problem = "not written: \(result.pattern), the first at \(answer.shape.index(ofOffset: unwritten[0]))"
      return result
    }
    switch expected.value {
    case .whole(let tensor): compareWhole(answer, tensor, into: &result)
    case .sampled(let sample): compareSampled(answer, sample, into: &result)
    }
    return result
  }

  private var overrideReason: String? {
    if case .tolerance(let tolerance) = allowance { tolerance.reason ?? "no reason given" } else { nil }
  }

  private var threshold: Double { dtype.format?.overflowThreshold ?? .infinity }

  private func compareWhole(_ answer: AnyTensor, _ tensor: AnyTensor, into result: inout TensorResult) {
    if let got = answer.integers, let wanted = tensor.integers {
      return compareIntegers(got.elements, wanted.elements, shape: tensor.shape, into: &result)
    }
    compareElements(
      answer.doubles.elements, tensor.doubles.elements, offsets: Array(0..<tensor.shape.count), shape: tensor.shape,
      into: &result)
  }

  private func comparison(of value: Double, _ expectation: Double, _ bound: Double) -> ElementComparison {
    ElementComparison(
      got: value, expected: expectation, bound: bound, dtype: dtype, threshold: threshold, equalNaN: expected.equalNaN,
      checkSignedZero: expected.checkSignedZero)
  }

  /// The wrong elements of an answer of the expected shape, ascending; none of a tensor of which samples are expected.
  func failing(_ answer: AnyTensor) -> [Int] {
    guard case .whole(let tensor) = expected.value, answer.shape == tensor.shape else { return [] }
    if let got = answer.integers?.elements, let wanted = tensor.integers?.elements {
      return got.indices.filter { got[$0] != wanted[$0] }
    }
    let (got, wanted) = (answer.doubles.elements, tensor.doubles.elements)
    return got.indices.filter { offset in
      let expectation = allowance.target(wanted[offset])
      let bound = allowance.bound(at: offset, expected: expectation, dtype: dtype)
      return !comparison(of: got[offset], expectation, bound).passes
    }
  }

  /// Integers are compared as such: a double could not tell the largest apart.
  private func compareIntegers(_ got: [Int64], _ wanted: [Int64], shape: Shape, into result: inout TensorResult) {
    let failing = got.indices.filter { got[$0] != wanted[$0] }
    result.compared = got.count
    result.failing = failing.count
    result.pattern = FailurePattern.describe(failing, in: shape, compared: got.count)
    result.map = FailureMap(failing: failing, shape: shape.dimensions)
    if let first = failing.first {
      result.worstRatio = .infinity
      result.worstUlps = failing.map { abs(Double(got[$0]) - Double(wanted[$0])) }.max() ?? 0
      result.worst = WorstElement(
        index: shape.index(ofOffset: first), got: Double(got[first]), expected: Double(wanted[first]), bound: 0)
    }
  }

  private func compareElements(
    _ got: [Double], _ wanted: [Double], offsets: [Int], shape: Shape, into result: inout TensorResult
  ) {
    var failing: [Int] = []
    var unbounded = 0
    var worst: (position: Int, bound: Double)?
    for (position, offset) in offsets.enumerated() {
      let (value, expectation) = (got[offset], allowance.target(wanted[position]))
      let bound = allowance.bound(at: offset, expected: expectation, dtype: dtype)
      let element = comparison(of: value, expectation, bound)
      if !element.passes {
        failing.append(offset)
        if !bound.isFinite, expectation.isFinite { unbounded += 1 }
      }
      result.worstUlps = max(result.worstUlps, element.ulps)
      if worst == nil || element.ratio > result.worstRatio {
        worst = (position, bound)
        result.worstRatio = element.ratio
      }
    }
    result.compared = offsets.count
    result.failing = failing.count
    if unbounded > 0 { result.unbounded = unbounded }
    result.pattern = FailurePattern.describe(failing, in: shape, compared: offsets.count)
    result.map = FailureMap(
      failing: failing, compared: offsets.count < shape.count ? offsets : nil, shape: shape.dimensions)
    result.distribution = distribution?.judge(got, wanted, at: offsets)
    if failing.isEmpty, let problem = result.distribution?.problem { result.problem = problem }
    if let worst {
      let offset = offsets[worst.position]
      result.worst = WorstElement(
        index: shape.index(ofOffset: offset), got: got[offset], expected: allowance.target(wanted[worst.position]),
        bound: worst.bound)
    }
  }

  /// The samples by their bounds B, `sum` by ΣB, `l2_norm` by √ΣB², `abs_max` by max B.
  ///
  /// The three figures are computed here in double precision, whose own rounding (N·2⁻⁵³ of Σ|got|) is added.
  private func compareSampled(_ answer: AnyTensor, _ sample: SampledTensor, into result: inout TensorResult) {
    let got = answer.doubles.elements
    compareElements(got, sample.values, offsets: sample.indices, shape: sample.shape, into: &result)
    let bounds = allowance.bounds(expected: got, dtype: dtype)
    let own = Rounding.float64.gamma(got.count + 2)
    let magnitude = got.reduce(0) { $0 + abs($1) }
    let norm = got.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let figures: [(String, Double, Double, Double)] = [
      ("sum", got.reduce(0, +), sample.sum, bounds.reduce(0, +) + 2 * own * magnitude),
      ("l2_norm", norm, sample.l2Norm, bounds.reduce(0) { $0 + $1 * $1 }.squareRoot() + 2 * own * norm),
      ("abs_max", got.reduce(0) { $1.isNaN ? .nan : max($0, abs($1)) }, sample.absMax, bounds.max() ?? 0),
    ]
    for (name, value, wanted, bound) in figures {
      let figure = ElementComparison(
        got: value, expected: wanted, bound: bound, dtype: .float64, threshold: .infinity, equalNaN: expected.equalNaN,
        checkSignedZero: false)
      result.compared += 1
      if figure.ratio > result.worstRatio || result.worst == nil {
        result.worstRatio = figure.ratio
        result.worst = WorstElement(index: [], figure: name, got: value, expected: wanted, bound: bound)
      }
      guard !figure.passes else { continue }
      result.failing += 1
      result.pattern += (result.pattern.isEmpty ? "" : "; ") + "\(name) of the whole tensor"
    }
  }
}
