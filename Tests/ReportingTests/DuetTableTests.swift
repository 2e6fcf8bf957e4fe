import Reporting
import Results
import Testing

@Suite struct DuetTableTests {
  private func section(counts: [DuetCount]?, uncounted: String? = nil) -> DuetSection {
    var benchmark = DuetBenchmark(
      name: "layer", verdict: "pass", advanced: nil, screen: [0, 0], decision: [], change: 0.01, changeLower: nil,
      changeUpper: nil, pValue: 1, adjustedPValue: 1, smallestDetectableChange: 0.03)
    benchmark.clock = "wall"
    var copy = benchmark
    benchmark.counts = counts
    copy.counts = nil
    var section = DuetSection(
      base: "base", head: "head",
      policy: DuetPolicyRecord(
        screenBlocks: 12, screenAdvance: 7, decisionBlocks: 40, margin: 0.02, falseDiscoveryRate: 0.05, policy: 0.05,
        power: 0.9, stealLimit: 0.1),
      benchmarks: [benchmark], sentinels: [copy], stealFraction: nil, complete: true, verdict: "pass", reasons: [],
      seconds: 1)
    section.uncounted = uncounted
    return section
  }

  @Test func countsHaveColumnsWhereThereAreSome() throws {
    let section = section(counts: [
      DuetCount(event: "instructions", screen: [0.5, 0.5], decision: [], confirmation: nil, change: 0.065),
      DuetCount(event: "cycles", screen: [0, 0], decision: [], confirmation: nil, change: -0.02),
    ])
    let table = DuetTable(section)
    #expect(table.headings.suffix(4) == ["blocks", "verdict", "instructions", "cycles"])
    #expect(
      table.rows.map { Array($0.suffix(4)) } == [
        ["2 + 0", "pass", "+6.5 %", "-2.0 %"], ["2 + 0", "pass", "not counted", "not counted"],
      ])
    #expect(try #require(DuetTable.note(on: section)).contains("They decide nothing"))
  }

  @Test func withoutThemNothingIsSaidButWhy() {
    #expect(!DuetTable(section(counts: nil)).headings.contains("instructions"))
    #expect(DuetTable.note(on: section(counts: nil)) == nil)
    #expect(
      DuetTable.note(on: section(counts: nil, uncounted: "a reason"))
        == "Instructions and cycles were not counted: a reason.")
  }
}
