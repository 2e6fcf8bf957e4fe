import Foundation
import RunAnalysis

/// What a gate asks. METHODOLOGY.md explains the defaults.
public struct DuetPolicy: Hashable, Sendable {
  /// Blocks that screen every benchmark.
  public var screenBlocks = 12
  /// How many of them must exceed the margin for a benchmark to go on.
  public var screenAdvance = 7
  /// Fresh blocks that decide those that went on; the screen's are not used again.
  public var decisionBlocks = 40
  /// A slowdown that is not worth an alarm, as a fraction.
  public var margin = 0.02
  /// False discovery rate over all benchmarks.
  public var falseDiscoveryRate = 0.05
  /// The change that the gate must be able to see, as a fraction; where it cannot, the verdict is *underpowered*.
  public var policy = 0.05
  /// The probability with which it must be able to see it.
  public var power = 0.9
  /// Steal time, as a fraction of all CPU time of the gate, above which nothing is concluded. The margin itself: a
  /// hypervisor that took more could account for every difference that the gate would call real.
  public var stealLimit = 0.02
  public var failOnImprovement = false

  public init() {}

  /// The margin as a difference of logarithms.
  public var logMargin: Double { log1p(margin) }
  public var logPolicy: Double { log1p(policy) }

  /// How many of the decision blocks must exceed the margin for one benchmark of `count` to be a discovery on its own, which
  /// is the hardest case of Benjamini–Hochberg.
  public func criticalCount(benchmarks count: Int) -> Int? {
    SignTest.criticalCount(trials: decisionBlocks, level: falseDiscoveryRate / Double(max(count, 1)))
  }

  /// The probability that a gate of `count` benchmarks calls one a regression whose blocks each exceed the margin with
  /// probability `p`: both stages must agree.
  public func power(exceeding p: Double, benchmarks count: Int) -> Double {
    guard let critical = criticalCount(benchmarks: count) else { return 0 }
    return BinomialTail.atLeast(screenAdvance, trials: screenBlocks, success: p)
      * BinomialTail.atLeast(critical, trials: decisionBlocks, success: p)
  }

  /// The smallest probability of exceeding the margin in one block that reaches ``power``; `nil` when none does.
  public func requiredExceedance(benchmarks count: Int) -> Double? {
    guard power(exceeding: 1, benchmarks: count) >= power else { return nil }
    var (low, high) = (0.0, 1.0)
    for _ in 0..<50 {
      let middle = (low + high) / 2
      if power(exceeding: middle, benchmarks: count) >= power { high = middle } else { low = middle }
    }
    return high
  }

  /// The smallest change, as a fraction, that a gate would have found with probability ``power`` given the noise of these
  /// differences: the margin plus as much as lifts enough blocks over it.
  ///
  ///     δ = exp(ln(1 + margin) − Q₁₋ₚ(d − median d)) − 1
  ///
  /// - Parameters:
  ///   - differences: ln(t_head / t_base) of each block.
  ///   - exceedance: p, from ``requiredExceedance(benchmarks:)``.
  /// - Returns: infinity when no change would have been found, or there are no differences.
  public func smallestDetectableChange(differences: [Double], exceedance: Double?) -> Double {
    guard let exceedance, let centre = OrderStatistics.median(differences),
      let quantile = OrderStatistics.quantile(1 - exceedance, of: differences.map { $0 - centre })
    else { return .infinity }
    return expm1(logMargin - quantile)
  }
}
