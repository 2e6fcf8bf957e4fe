import Operations
import Problems
import Results
import Tensors

/// A tensor of an answer beside what was expected of it.
struct JudgedTensor: Sendable {
  let path: String
  let shape: Shape
  let got: [Double]
  let expected: [Double]
  /// What was allowed; 0 where equality was asked.
  let bounds: [Double]
  /// The type of its elements.
  let dtype: DType
  /// The elements that are wrong, ascending; none of a tensor that is right.
  let failing: [Int]

  /// How a wrong tensor agrees with what a mistake gives.
  struct Agreement: Sendable {
    /// Whether every element is the same, once rounded to its type.
    var isExact: Bool
    /// Whether the wrong elements are numbers that chance does not bring about: at least two different ones, besides zeros.
    var isTelling: Bool
  }

  /// So much of each wrong element's error must be gone.
  private static let explained = 0.75
  /// The share of wrong elements of which this must be so, since some are wrong by little.
  private static let share = 0.9
  private static let roundings = 4.0

  /// - Parameters:
  ///   - values: what a mistake gives; `nil` for elements of which it says nothing.
  ///   - scale: by how much it makes rounding's errors larger.
  ///   - slack: what else may lie between an element and its value.
  /// - Returns: `nil` where an element is another, or the errors are not explained.
  func agreement(with values: [Double?], scale: Double = 1, slack: [Double]? = nil) -> Agreement? {
    guard values.count == got.count else { return nil }
    var isExact = true
    for (i, value) in values.enumerated() {
      guard let value else { continue }
      guard isNear(got[i], value, within: 2 * scale * bounds[i] + (slack?[i] ?? 0)) else { return nil }
      if isExact { isExact = got[i].isNaN || got[i] == (dtype.format?.rounded(value) ?? value) }
    }
    guard !failing.isEmpty else { return Agreement(isExact: isExact, isTelling: false) }
    var (looked, explained) = (0, 0)
    var told: Set<Double> = []
    for i in failing {
      guard let value = values[i] else { continue }
      looked += 1
      if got[i].isFinite, expected[i].isFinite {
        explained += abs(got[i] - value) <= (1 - Self.explained) * abs(got[i] - expected[i]) ? 1 : 0
        if told.count < 2, got[i] != 0 { told.insert(got[i]) }
      } else {
        explained += 1
      }
    }
    guard 2 * looked >= failing.count, Double(explained) >= Self.share * Double(looked) else { return nil }
    return Agreement(isExact: isExact, isTelling: told.count >= 2)
  }

  /// Whether another answer of the same engine has other numbers than rounding brings about.
  func differs(from again: JudgedTensor) -> Bool {
    zip(got.indices, again.got).contains { !isNear(got[$0], $1, within: 2 * bounds[$0]) }
  }

  /// Whether it is what is right and what the engine gave before: the memory that it sums in was not cleared.
  /// - Parameters:
  ///   - earlier: what is right for the case that the engine was asked for between.
  ///   - first: its first answer to the same question, which that may lie on.
  func isAdded(to earlier: [Double], after first: JudgedTensor) -> Agreement? {
    guard earlier.count == got.count, first.got.count == got.count else { return nil }
    // The earlier sums have bounds of their own, of elements elsewhere.
    let slack = Array(repeating: 2 * (bounds.filter(\.isFinite).max() ?? 0), count: got.count)
    let last = zip(expected, earlier).map { $0 + $1 }
    return agreement(with: last, slack: slack) ?? agreement(with: zip(last, first.got).map { $0 + $1 }, slack: slack)
  }

  private func isNear(_ got: Double, _ value: Double, within bound: Double) -> Bool {
    if got.isNaN || value.isNaN { return got.isNaN && value.isNaN }
    if got == value { return true }
    if got.isInfinite {
      return abs(value) >= (dtype.format?.overflowThreshold ?? .infinity) && (got < 0) == (value < 0)
    }
    let allowed = max(bound.isFinite ? bound : 0, Self.roundings * dtype.unitRoundoff * abs(value))
    return abs(got - value) <= allowed
  }
}

/// Errors of the size that sums in fewer bits have. Which element is off by how much depends on the order of additions, which
/// nobody knows: it can only look like that.
extension JudgedTensor {
  /// Kernels that differ in the order of their additions have errors within this factor of each other.
  private static let alike = 3.0
  private static let leastShare = 0.1
  /// Of errors with the results: rounding's have next to none.
  private static let mostCorrelation = 0.5

  static let sums: [(name: String, keeping: any SumKeeping.Type)] = [
    ("sums kept in 11 bits: float16", Binary16.self), ("sums kept in 8 bits: bfloat16", BFloat16.self),
  ]

  /// - Parameter values: what the definition gives with such sums.
  func hasErrors(like values: [Double]) -> Bool {
    guard values.count == got.count, Double(failing.count) >= Self.leastShare * Double(got.count) else { return false }
    var (own, other, size, common) = (0.0, 0.0, 0.0, 0.0)
    for i in got.indices where got[i].isFinite && values[i].isFinite && expected[i].isFinite {
      let error = got[i] - expected[i]
      own += error * error
      other += (values[i] - expected[i]) * (values[i] - expected[i])
      size += expected[i] * expected[i]
      common += error * expected[i]
    }
    guard own > 0, other > 0, size > 0 else { return false }
    let ratio = (own / other).squareRoot()
    return ratio <= Self.alike && ratio >= 1 / Self.alike
      && abs(common) <= Self.mostCorrelation * (own * size).squareRoot()
  }
}
