import Foundation
import RunAnalysis

/// What a gate asks. METHODOLOGY.md explains the defaults.
public struct DuetPolicy: Hashable, Sendable {
  /// Blocks that screen every benchmark, at ``Effort/least``.
  public var screenBlocks = 12
  /// How many of them must exceed the margin for a benchmark to go on.
  public var screenAdvance = 7
  /// Fresh blocks that decide those that went on, at ``Effort/least``; the screen's are not used again.
  public var decisionBlocks = 40
  /// Up to how many times as many blocks a noisy benchmark gets; a power of two.
  public var mostEffort = 8
  /// A slowdown that is not worth an alarm, as a fraction.
  public var margin = 0.02
  /// False discovery rate over all benchmarks and both clocks.
  public var falseDiscoveryRate = 0.05
  /// The change that the gate must be able to see, as a fraction; where it cannot, the verdict is *underpowered*.
  public var policy = 0.05
  /// The probability with which it must be able to see it.
  public var power = 0.9
  /// Steal time, as a fraction of the timed cores' time, above which nothing is concluded, as in a benchmark. The parts of both
  /// sides alternate by the millisecond, so that it is taken from either alike, and medians are no further than the
  /// 0.556-quantile from where they would be.
  public var stealLimit = 0.1
  public var failOnImprovement = false
  /// Whether what is called a regression must be one again in fresh blocks.
  public var confirms = false

  public init() {}

  /// How many times the least number of blocks a benchmark gets. It follows from the benchmark's noise alone, never from what the
  /// change seems to be: otherwise a gate could go on until chance gives it what it looks for.
  public struct Effort: Hashable, Sendable, Comparable {
    public var times: Int

    public init(times: Int) { self.times = times }

    public static let least = Effort(times: 1)

    public static func < (left: Effort, right: Effort) -> Bool { left.times < right.times }
  }

  /// Every effort, the least first: each has twice the blocks of the one before.
  public var efforts: [Effort] {
    Array(sequence(first: 1) { $0 * 2 }.prefix { $0 <= max(mostEffort, 1) }.map(Effort.init(times:)))
  }

  public func screenBlocks(_ effort: Effort) -> Int { screenBlocks * effort.times }
  public func decisionBlocks(_ effort: Effort) -> Int { decisionBlocks * effort.times }

  /// How many blocks of a screen must exceed the margin: as many more than half of a longer one as of the least.
  func screenAdvance(of blocks: Int) -> Int { blocks / 2 + screenAdvance - screenBlocks / 2 }

  /// The margin as a difference of logarithms.
  public var logMargin: Double { log1p(margin) }
  public var logPolicy: Double { log1p(policy) }

  /// How many of the decision blocks must exceed the margin for one of `count` tests to be a discovery on its own, which is the
  /// hardest case of Benjamini–Hochberg.
  public func criticalCount(tests count: Int, effort: Effort = .least) -> Int? {
    SignTest.criticalCount(trials: decisionBlocks(effort), level: falseDiscoveryRate / Double(max(count, 1)))
  }

  /// The probability that a gate of `count` tests calls a benchmark a regression whose blocks each exceed the margin with
  /// probability `p`: all stages must agree.
  public func power(exceeding p: Double, tests count: Int, effort: Effort = .least) -> Double {
    guard let critical = criticalCount(tests: count, effort: effort) else { return 0 }
    let (screen, decision) = (screenBlocks(effort), decisionBlocks(effort))
    let found =
      BinomialTail.atLeast(screenAdvance(of: screen), trials: screen, success: p)
      * BinomialTail.atLeast(critical, trials: decision, success: p)
    guard confirms else { return found }
    // What fired alone is asked for again: one test, of as many blocks.
    guard let again = SignTest.criticalCount(trials: decision, level: falseDiscoveryRate) else { return 0 }
    return found * BinomialTail.atLeast(again, trials: decision, success: p)
  }

  /// The smallest probability of exceeding the margin in one block that reaches ``power``; `nil` when none does.
  public func requiredExceedance(tests count: Int, effort: Effort = .least) -> Double? {
    guard power(exceeding: 1, tests: count, effort: effort) >= power else { return nil }
    var (low, high) = (0.0, 1.0)
    for _ in 0..<40 {
      let middle = (low + high) / 2
      if power(exceeding: middle, tests: count, effort: effort) >= power { high = middle } else { low = middle }
    }
    return high
  }

  /// The smallest change, as a fraction, that a gate would have found with probability ``power`` through this noise: the margin
  /// plus as much as lifts enough blocks over it.
  ///
  ///     δ = exp(ln(1 + margin) − Q₁₋ₚ(noise)) − 1
  ///
  /// - Parameters:
  ///   - noise: ln(t_head / t_base) of each block, less the centre of such blocks.
  ///   - exceedance: p, from ``requiredExceedance(tests:effort:)``.
  /// - Returns: infinity when no change would have been found, or there are no blocks.
  public func smallestDetectableChange(noise: [Double], exceedance: Double?) -> Double {
    guard let exceedance, let quantile = OrderStatistics.quantile(1 - exceedance, of: noise) else { return .infinity }
    return expm1(logMargin - quantile)
  }

  /// Whether so few blocks leave it open that a gate would see ``policy``: normal noise of the least spread that is likely from
  /// these, σ̂ (1 − 1.645 · 1.17/√n), would let it. σ̂ = 1.4826 · median |noise|, whose own deviation is 1.17 σ/√n.
  func maySee(through noise: [Double], exceedance: Double?) -> Bool {
    guard let exceedance, let deviation = OrderStatistics.median(noise.map(abs)) else { return false }
    let least = 1.4826 * deviation * max(0, 1 - 1.645 * 1.17 / Double(noise.count).squareRoot())
    return expm1(logMargin + least * Self.normalQuantile(exceedance)) <= policy
  }

  /// z of which a standard normal number is below with this probability.
  private static func normalQuantile(_ probability: Double) -> Double {
    var (low, high) = (-10.0, 10.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if erfc(-middle / 2.0.squareRoot()) / 2 < probability { low = middle } else { high = middle }
    }
    return high
  }
}
