import Foundation
import Reporting
import Results
import RunAnalysis
import TestSupport
import Testing

/// What a reader of a benchmark asks next: which strategy, how far is mine, what changed.
@Suite struct DecisionReportTests {
  /// Three strategies and a peer on one layer that a network has four times, as the analysis leaves it.
  private func analysed(
    direct: UInt64 = 2_000_000, winograd4: UInt64 = 1_000_000, peer: UInt64 = 4_000_000, spread: UInt64 = 1_000
  ) -> BenchmarkSection {
    func blocks(_ base: UInt64) -> [UInt64] { (0..<6).map { base + $0 * spread } }
    var section = SampleBenchmark.section(times: [
      "direct": blocks(direct), "winograd4": blocks(winograd4), "peer": blocks(peer),
    ])
    for index in section.workloads[0].contestants.indices {
      section.workloads[0].contestants[index].worstRatio = 0.25
      section.workloads[0].contestants[index].workspaceBytes = index == 2 ? 0 : 1 << 20
    }
    BenchmarkAnalysis.complete(&section)
    return section
  }

  private func page(_ section: BenchmarkSection, engine: String? = nil) throws -> String {
    try HTMLReport.text(SampleBenchmark.run(section), view: ReportView(engine: engine))
  }

  @Test func `the analysis says how far the best is ahead`() throws {
    let workload = analysed().workloads[0]
    let lead = try #require(workload.lead)
    #expect(lead.engine == "winograd4" && lead.ties.isEmpty && lead.next == "direct")
    // The middle ones of the blocks' ratios 2000/1000, 2001/1001, … 2005/1005.
    let ratio = try #require(lead.ratio)
    let middle: Double = (2002.0 / 1002 + 2003.0 / 1003) / 2
    #expect(abs(ratio - middle) < 1e-12)
    let (lower, upper) = (try #require(lead.lower), try #require(lead.upper))
    #expect(lower <= ratio && ratio <= upper)
    #expect(workload.builtInLead?.engine == "winograd4")
    // A peer that is the fastest does not hide which strategy is.
    let beaten = analysed(peer: 500_000).workloads[0]
    #expect(beaten.lead?.engine == "peer" && beaten.builtInLead?.engine == "winograd4")
    #expect(beaten.builtInLead?.next == "direct")
  }

  @Test func `the table names the strategy, by how much it leads, and the command`() throws {
    let page = try page(analysed())
    #expect(page.contains("<section id=\"decide\">"))
    // 2005/1005 = 1.995 to 2000/1000; the medians are 2002.5 and 1002.5.
    #expect(page.contains("2.00× direct (2.00 to 2.00)"))
    #expect(page.contains(">3×3 stride1<"))
    #expect(page.contains("never certainly beaten; direct takes 2.00× as long in the mean"))
    #expect(page.contains("--engine winograd4 --engine direct --filter"))
    #expect(MarkdownReport.text(SampleBenchmark.run(analysed())).contains("| 3×3 stride1 | 56 and more | winograd4 |"))
  }

  /// Where the blocks' ratios span 1, nobody is named alone.
  @Test func `a tie is a tie`() throws {
    var section = analysed(direct: 1_001_000, winograd4: 1_000_000)
    // In every second block the other one is faster.
    for block in 0..<6 {
      section.workloads[0].contestants[0].samples[block] = DurationSamples([1_000_000 + (block % 2 == 0 ? 2_000 : 0)])
      section.workloads[0].contestants[1].samples[block] = DurationSamples([1_001_000])
    }
    BenchmarkAnalysis.complete(&section)
    let lead = try #require(section.workloads[0].builtInLead)
    #expect(lead.ties.count == 1 && lead.next == nil)
    let page = try page(section)
    #expect(page.contains(">tie: direct, winograd4<") || page.contains(">tie: winograd4, direct<"))
    #expect(page.contains("nobody is certainly slower") && page.contains("a tie 1"))
  }

  @Test func `times in doubt decide nothing`() throws {
    var section = analysed()
    section.doubts = ["3 blocks give no interval"]
    let page = try page(section)
    #expect(!page.contains("id=\"decide\"") && !page.contains("id=\"engines\""))
  }

  /// A run of an earlier version has no lead: medians stand in, and say that they have no interval.
  @Test func `runs of earlier versions are read`() throws {
    var section = analysed()
    section.workloads[0].lead = nil
    section.workloads[0].builtInLead = nil
    #expect(try page(section).contains("2.00× direct (no interval)"))
  }

  /// What an engine loses counts as often as the networks have the layer.
  @Test func `an engine's view says how much it loses, where, and to whom`() throws {
    let page = try page(analysed(), engine: "peer")
    let start = try #require(page.range(of: "<details class=\"fold\" open><summary>peer: ")).lowerBound
    let view = page[start...].components(separatedBy: "</details>")[0]
    for part in [
      "the time of the best in the geometric mean", "first or tied on 0", ">winograd4<", ">3.000<", ">12.0<", ">4<",
      ">–<",
      ">4 of 4<", "100 % of what it loses", "--engine peer --engine winograd4 --filter",
    ] {
      #expect(view.contains(part), "\(part)")
    }
    // Whose view was not asked for is folded.
    #expect(try !self.page(analysed()).contains("<details class=\"fold\" open><summary>peer:"))
  }

  @Test func `a run says what changed since another`() throws {
    let (old, new) = (SampleBenchmark.run(analysed()), SampleBenchmark.run(analysed(winograd4: 1_500_000)))
    var run = new
    run.changes = RunChanges.record(since: old, at: "Reports/monday", in: new)
    let changes = try #require(run.changes)
    #expect(changes.compared == 3 && changes.changes.map(\.engine) == ["winograd4"])
    #expect(changes.changes[0].verdict == "slower")
    let page = try HTMLReport.text(run)
    #expect(page.contains("of 3 times 1 slower and 0 faster by more than 5 %"))
    #expect(page.contains("Since Reports/monday of 2026-01-01T00:00:00Z"))
    #expect(MarkdownReport.text(run).contains("## What changed"))
    // It is part of the record: the same file gives the same page.
    let folder = try TemporaryDirectory()
    let path = folder.file("run.json").path
    try RunFile.data(run).write(to: URL(filePath: path))
    #expect(try HTMLReport.text(RunFile.read(path)) == page)
    #expect(run.conclusion.outcome == new.conclusion.outcome, "advice decides nothing")
  }

  @Test func `runs that cannot be compared say why`() throws {
    let (old, new) = (SampleBenchmark.run(analysed()), SampleBenchmark.run(analysed()))
    var other = old
    other.benchmark?.machine.cpuModel = "another"
    #expect(RunChanges.isSuccessor(new, of: old) && !RunChanges.isSuccessor(new, of: other))
    var run = new
    run.changes = RunChanges.record(since: other, at: "x", in: new)
    #expect(run.changes?.refusals.isEmpty == false && run.changes?.compared == 0)
    #expect(try HTMLReport.text(run).contains("the times cannot be compared"))
  }

  @Test func `golden results that end otherwise are named, failures first`() throws {
    var (old, new) = (ReportTests.run, ReportTests.run)
    old.verification?.results[0].status = .pass
    new.verification?.results[1].status = .unsupported
    new.changes = RunChanges.record(since: old, at: "old", in: new)
    let statuses = try #require(new.changes?.statuses)
    #expect(statuses.map(\.new) == [.fail, .unsupported] && statuses.map(\.old) == [.pass, .pass])
    #expect(try HTMLReport.text(new).contains("of 5 golden results 2 ended otherwise"))
  }

  /// The look of an engine depends on nothing but its name.
  @Test func `an engine looks the same in every run`() throws {
    func color(_ section: BenchmarkSection) throws -> String {
      let page = try page(section)
      let mark = page.firstMatch(of: #/fill="(\#[0-9A-F]{6})"[^>]*><title>peer on /#)
      return String(try #require(mark).output.1)
    }
    var reordered = analysed()
    reordered.engines.reverse()
    #expect(try color(analysed()) == color(reordered))
  }

  @Test func `the same run gives the same page, with an identifier once`() throws {
    let first = try page(analysed())
    #expect(try page(analysed()) == first)
    let ids = first.matches(of: #/ id="([^"]+)"/#).map { String($0.output.1) }
    #expect(Set(ids).count == ids.count, "\(ids)")
  }
}
