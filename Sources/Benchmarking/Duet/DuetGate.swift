import Foundation
import RunAnalysis

/// The gate's decision from the differences d = ln(t_head / t_base) of its blocks. Pure: the same differences give the
/// same verdicts, today and from a stored run.
public struct DuetGate: Sendable {
  public var policy: DuetPolicy

  public init(policy: DuetPolicy = DuetPolicy()) { self.policy = policy }

  /// The differences of one benchmark: those of the screen, and of the decision where it went on.
  public struct Differences: Hashable, Sendable {
    public var name: String
    public var screen: [Double]
    public var decision: [Double]

    public init(name: String, screen: [Double], decision: [Double] = []) {
      self.name = name
      self.screen = screen
      self.decision = decision
    }
  }

  public enum Verdict: String, Hashable, Sendable, Codable {
    case pass, regression, improvement, underpowered, inconclusive
  }

  /// Which way a benchmark went on after the screen.
  public enum Direction: String, Hashable, Sendable, Codable { case slower, faster }

  public struct Finding: Hashable, Sendable {
    public var name: String
    public var verdict: Verdict
    public var advanced: Direction?
    /// Median of d over the blocks that decided; exp(d) − 1 is the change.
    public var median: Double
    public var interval: MedianInterval?
    /// p of the one-sided test in the direction that it went on in; 1 where it did not go on.
    public var pValue: Double
    public var adjustedPValue: Double
    /// As a fraction; infinity where no change would have been found.
    public var smallestDetectableChange: Double
  }

  public struct Decision: Hashable, Sendable {
    public var verdict: Verdict
    public var findings: [Finding]
    public var sentinel: Finding?
    /// Why nothing is concluded, where that is so.
    public var reasons: [String]
  }

  /// Whether the screen sends a benchmark on to the decision, and why.
  public func advance(screen: [Double]) -> Direction? {
    guard screen.count >= policy.screenBlocks else { return nil }
    if screen.count(where: { $0 > policy.logMargin }) >= policy.screenAdvance { return .slower }
    if screen.count(where: { $0 < -policy.logMargin }) >= policy.screenAdvance { return .faster }
    return nil
  }

  /// - Parameters:
  ///   - sentinel: the same binary against itself; it fires when it would be called changed in either direction.
  ///   - benchmarks: every benchmark of the gate with the differences of its blocks.
  ///   - stealFraction: of the CPU time of the gate; `nil` where the system does not tell.
  ///   - complete: `false` for a gate that was interrupted.
  ///   - undone: what was asked for and could not be measured, one sentence each. It leaves the gate undecided, unless
  ///     another benchmark is a regression.
  public func decide(
    _ benchmarks: [Differences], sentinel: Differences?, stealFraction: Double?, complete: Bool = true,
    undone: [String] = []
  ) -> Decision {
    let findings = findings(of: benchmarks, exceedance: policy.requiredExceedance(benchmarks: benchmarks.count))
    let sentinelFinding = sentinel.flatMap {
      self.findings(of: [$0], exceedance: policy.requiredExceedance(benchmarks: 1)).first
    }
    var reasons: [String] = []
    if let sentinelFinding, sentinelFinding.verdict == .regression || sentinelFinding.verdict == .improvement {
      reasons.append("the same binary differs from itself on \(sentinelFinding.name)")
    }
    if let stealFraction, stealFraction > policy.stealLimit {
      reasons.append(
        "the hypervisor took \(Self.percent(stealFraction)) of the CPU time, more than \(Self.percent(policy.stealLimit))"
      )
    }
    if benchmarks.isEmpty { reasons.append("no benchmark was measured") }
    if !complete { reasons.append("the gate was interrupted") }
    var verdict = overall(findings, inconclusive: !reasons.isEmpty)
    if !undone.isEmpty, verdict != .regression { verdict = .inconclusive }
    return Decision(
      verdict: verdict, findings: findings, sentinel: sentinelFinding, reasons: undone + reasons)
  }

  /// - Parameter exceedance: ``DuetPolicy/requiredExceedance(benchmarks:)`` for so many benchmarks.
  func findings(of benchmarks: [Differences], exceedance: Double?) -> [Finding] {
    let slower = BenjaminiHochberg.adjusted(benchmarks.map { pValue($0, .slower) })
    let faster = BenjaminiHochberg.adjusted(benchmarks.map { pValue($0, .faster) })
    return benchmarks.indices.map { index in
      finding(benchmarks[index], slower: slower[index], faster: faster[index], exceedance: exceedance)
    }
  }

  private func overall(_ findings: [Finding], inconclusive: Bool) -> Verdict {
    let verdicts = Set(findings.map(\.verdict))
    if inconclusive { return .inconclusive }
    if verdicts.contains(.regression) { return .regression }
    if verdicts.contains(.inconclusive) { return .inconclusive }
    if verdicts.contains(.underpowered) { return .underpowered }
    return verdicts.contains(.improvement) ? .improvement : .pass
  }

  private func pValue(_ differences: Differences, _ direction: Direction) -> Double {
    guard advance(screen: differences.screen) == direction else { return 1 }
    switch direction {
    case .slower: return SignTest.pValue(above: policy.logMargin, differences.decision)
    case .faster: return SignTest.pValue(below: -policy.logMargin, differences.decision)
    }
  }

  private func finding(_ differences: Differences, slower: Double, faster: Double, exceedance: Double?) -> Finding {
    let direction = advance(screen: differences.screen)
    let deciding = direction != nil && !differences.decision.isEmpty ? differences.decision : differences.screen
    let detectable = policy.smallestDetectableChange(differences: deciding, exceedance: exceedance)
    let adjusted = min(slower, faster)
    let verdict: Verdict =
      if differences.screen.count < policy.screenBlocks
        || (direction != nil && differences.decision.count < policy.decisionBlocks)
      {
        .inconclusive
      } else if slower <= policy.falseDiscoveryRate {
        .regression
      } else if faster <= policy.falseDiscoveryRate {
        .improvement
      } else if detectable > policy.policy {
        .underpowered
      } else {
        .pass
      }
    return Finding(
      name: differences.name, verdict: verdict, advanced: direction,
      median: OrderStatistics.median(deciding) ?? 0, interval: OrderStatistics.medianInterval(deciding),
      pValue: direction.map { pValue(differences, $0) } ?? 1, adjustedPValue: adjusted,
      smallestDetectableChange: detectable)
  }

  static func percent(_ fraction: Double) -> String { String(format: "%.1f %%", 100 * fraction) }
}
