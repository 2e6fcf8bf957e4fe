import Foundation
import OperatingSystem
import Results
import RunAnalysis

/// A gate's decision as a record, and a record's differences as a decision again.
public enum DuetRecords {
  public static func section(
    _ gate: DuetGate, _ differences: [DuetGate.Differences], sentinels: [DuetGate.Differences] = [], base: String,
    head: String, stealFraction: Double?, complete: Bool, undone: [String] = [], seconds: Double
  ) -> DuetSection {
    let decision = gate.decide(
      differences, sentinels: sentinels, stealFraction: stealFraction, complete: complete, undone: undone)
    let policy = gate.policy
    return DuetSection(
      base: base, head: head,
      policy: DuetPolicyRecord(
        screenBlocks: policy.screenBlocks, screenAdvance: policy.screenAdvance, decisionBlocks: policy.decisionBlocks,
        margin: policy.margin, falseDiscoveryRate: policy.falseDiscoveryRate, policy: policy.policy,
        power: policy.power, stealLimit: policy.stealLimit, failsOnImprovement: policy.failOnImprovement,
        mostEffort: policy.mostEffort, confirms: policy.confirms),
      benchmarks: zip(differences, decision.findings).map(record), sentinel: nil,
      sentinels: zip(sentinels, decision.sentinels).map(record), stealFraction: stealFraction, complete: complete,
      verdict: decision.verdict.rawValue, reasons: decision.reasons, seconds: seconds)
  }

  private static func record(_ differences: DuetGate.Differences, _ finding: DuetGate.Finding) -> DuetBenchmark {
    let decisive = finding.decisive
    var record = DuetBenchmark(
      name: finding.name, verdict: finding.verdict.rawValue, advanced: decisive.advanced?.rawValue,
      screen: differences.screen.map(\.wall), decision: differences.decision.map(\.wall),
      change: expm1(decisive.median), changeLower: decisive.interval.map { expm1($0.lower) },
      changeUpper: decisive.interval.map { expm1($0.upper) }, pValue: decisive.pValue,
      adjustedPValue: decisive.adjustedPValue, smallestDetectableChange: decisive.smallestDetectableChange)
    record.threads = differences.threads
    record.clock = finding.clock.rawValue
    if !differences.confirmation.isEmpty { record.confirmation = differences.confirmation.map(\.wall) }
    if let cpu = finding.cpu {
      record.cpu = DuetCPUTime(
        screen: differences.screen.on(.cpu), decision: differences.decision.on(.cpu),
        confirmation: differences.confirmation.isEmpty ? nil : differences.confirmation.on(.cpu),
        change: expm1(cpu.median), smallestDetectableChange: cpu.smallestDetectableChange)
    }
    let counts = CountedEvent.allCases.compactMap { count(of: $0, differences, hasDecided: decisive.advanced != nil) }
    if !counts.isEmpty { record.counts = counts }
    return record
  }

  /// - Parameter hasDecided: whether the change is that of the deciding blocks.
  private static func count(
    of event: CountedEvent, _ differences: DuetGate.Differences, hasDecided: Bool
  ) -> DuetCount? {
    guard let screen = differences.screen.of(event), let decision = differences.decision.of(event),
      let confirmation = differences.confirmation.of(event),
      let change = OrderStatistics.median(hasDecided && !decision.isEmpty ? decision : screen)
    else { return nil }
    return DuetCount(
      event: event.rawValue, screen: screen, decision: decision,
      confirmation: confirmation.isEmpty ? nil : confirmation, change: expm1(change))
  }

  /// The differences of a record, for who judges or simulates again.
  public static func differences(of record: DuetBenchmark) -> DuetGate.Differences {
    func joined(_ wall: [Double], _ cpu: [Double]?) -> [DuetDifference] {
      wall.indices.map { DuetDifference(wall: wall[$0], cpu: cpu.flatMap { $0.count == wall.count ? $0 : nil }?[$0]) }
    }
    return DuetGate.Differences(
      name: record.name, threads: record.threads ?? 1, screen: joined(record.screen, record.cpu?.screen),
      decision: joined(record.decision, record.cpu?.decision),
      confirmation: joined(record.confirmation ?? [], record.cpu?.confirmation))
  }
}
