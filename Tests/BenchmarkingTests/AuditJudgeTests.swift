import Benchmarking
import Results
import Testing

/// Each rule on ledgers made by hand: violated, holds, and not decided.
@Suite struct AuditJudgeTests {
  /// An honest contestant of 4 ms, on one thread.
  private static func ledger(
    turns: Int = 12, claimed: Double = 1, cpu: Double = 1, loadCPU: Double = 1e6, collectCPU: Double = 1e6,
    ratio: Double = 1, distinct: Int = 10
  ) -> AuditLedger {
    var ledger = AuditLedger()
    let work = 40e6
    for turn in 0..<turns {
      // A little of noise, the same each time.
      let wall = work * (1 + 0.001 * Double(turn))
      ledger.slices.append(
        .init(claimed: wall * claimed, wall: wall, cpu: wall * cpu, waited: 0, sets: 10, distinct: distinct))
      ledger.turns.append(
        .init(loads: 10, loadCPU: loadCPU * 10, collects: 1, collectCPU: collectCPU, claimed: wall * claimed / 10))
      ledger.visits.append(.init(first: (ratio + 0.001 * Double(turn)) * 1e6, second: 1e6))
    }
    return ledger
  }

  private static let costs = RequestCosts(load: 1e6, collect: 1e6)

  private func verdict(
    _ rule: AuditRule, _ ledger: AuditLedger, costs: RequestCosts? = costs, median: Double = 4e6
  ) throws -> AuditVerdict {
    let judge = AuditJudge(threads: 1, costs: costs, impossible: 1e6)
    return try #require(judge.findings(ledger, medianNanoseconds: median).first { $0.rule == rule }).verdict
  }

  /// Of little memory what is usual, of much what is measured: no less than that, and by a wide margin no seconds.
  @Test func clearingMemoryIsAllowedWhatItTakes() {
    #expect(RequestCosts.clearing(0) == 0 && RequestCosts.clearing(40_960) == 10_000)
    #expect((6_272_000..<6_272e6).contains(RequestCosts.clearing(6272 * 4096)))
  }

  @Test func whoIsHonestBreaksNoRule() {
    let judge = AuditJudge(threads: 1, costs: Self.costs, impossible: 1e6)
    for finding in judge.findings(Self.ledger(), medianNanoseconds: 4e6) {
      #expect(finding.verdict == .holds, "\(finding)")
    }
  }

  @Test(arguments: [
    (AuditRule.remembers, ledger(ratio: 1.5)),
    (.clock, ledger(claimed: 0.5)),
    // The engine's own clock agrees, and its CPU time does not.
    (.clock, ledger(cpu: 2)),
    (.clock, ledger(distinct: 1)),
    (.threads, ledger(cpu: 2)),
    (.elsewhere, ledger(loadCPU: 5e6)),
    (.elsewhere, ledger(collectCPU: 5e6)),
  ])
  func aRuleIsViolated(rule: AuditRule, ledger: AuditLedger) throws {
    #expect(try verdict(rule, ledger) == .violated)
  }

  /// Of steps of training nothing is visited again, and the one that is not reported may not do others' work.
  @Test(arguments: [
    (turns: 8, after: 1.05, verdict: AuditVerdict.holds), (8, 1.3, .violated), (5, 1.3, .unresolved),
  ])
  func stepsAreNotPutOff(turns: Int, after: Double, verdict: AuditVerdict) throws {
    var ledger = AuditLedger(isOfSteps: true)
    let visits = Self.ledger(turns: 8)
    (ledger.slices, ledger.turns) = (visits.slices, visits.turns)
    for turn in 0..<turns {
      ledger.steps.append(.init(reported: 4e6, after: (after + 0.001 * Double(turn)) * 4e6))
    }
    #expect(try self.verdict(.elsewhere, ledger) == verdict)
    let judge = AuditJudge(threads: 1, costs: Self.costs, impossible: nil)
    let rules = judge.findings(ledger, medianNanoseconds: 4e6).map(\.rule)
    #expect(rules == [.clock, .threads, .elsewhere])
  }

  @Test func whatIsFasterThanPossibleIsViolated() throws {
    #expect(try verdict(.impossible, Self.ledger(), median: 0.9e6) == .violated)
  }

  /// An interval of 95 % needs six; what no engine that does nothing stands beside is not decided; neither is what is between an
  /// honest engine's costs and work.
  @Test func littleIsKnown() throws {
    for rule in [AuditRule.remembers, .clock, .threads, .elsewhere] {
      #expect(try verdict(rule, Self.ledger(turns: 5)) == .unresolved, "\(rule)")
    }
    for rule in [AuditRule.clock, .elsewhere] {
      #expect(try verdict(rule, Self.ledger(), costs: nil) == .unresolved, "\(rule)")
    }
    #expect(try verdict(.elsewhere, Self.ledger(loadCPU: 2.5e6)) == .unresolved)
  }

  /// What is too short for a clock may take the same time again and again.
  @Test func shortIterationsMayRepeat() throws {
    var ledger = Self.ledger(distinct: 1)
    for index in ledger.slices.indices { ledger.slices[index].iterations = 1_000 }
    #expect(try verdict(.clock, ledger) == .holds)
  }
}
