import Foundation
import Reporting
import Results
import RunAnalysis
import TestSupport
import Testing

/// What every report says of trust, audits and limits.
@Suite struct AuditReportTests {
  private static let run: Run = {
    var section = SampleBenchmark.audited()
    BenchmarkAnalysis.complete(&section)
    return SampleBenchmark.run(section)
  }()

  private func file(_ name: String, of run: Run = Self.run) throws -> String {
    let data = try #require(try ReportFolder.files(run).first { $0.name == name }?.data)
    return String(decoding: data, as: UTF8.self)
  }

  private static let evidence = "remembers: first visits take 2.10 ms, second ones 0.01 ms: 210 times, at most 1.10"

  /// The rule, its evidence, and the command that repeats it, for whoever reads one report alone.
  @Test(arguments: ["report.html", "report.md", "junit.xml"])
  func whoIsCaughtIsToldWhyAndHowToRepeatIt(name: String) throws {
    let text = try file(name)
    #expect(text.contains(Self.evidence))
    #expect(text.contains("assay bench --depth net --batch 1 --threads 1 --pass forward --layout nchw --engine cheat"))
    #expect(text.contains("cheated"))
  }

  @Test func whoIsCaughtFailsTheRun() throws {
    #expect(Self.run.conclusion.outcome == .fails)
    #expect(Self.run.conclusion.reasons.contains { $0.contains("1 contestants cheated") })
    #expect(try file("report.html").contains("1 contestants of the benchmark are caught, the first of them cheat on "))
    let page = try file("report.html")
    let link = try #require(page.firstMatch(of: /<a href="#(wrong-[^"]+)">/)).output.1
    #expect(page.contains(" id=\"\(link)\">") && page.contains(">CHEATED<"))
    #expect(try file("junit.xml").contains("<failure message=\"cheated: remembers\">"))
  }

  /// 0.1 ms would be the fastest, were it more than a word.
  @Test func claimedTimesAreMarkedAndNeverTheFastest() throws {
    let markdown = try file("report.md")
    #expect(markdown.contains("| 2.000 | **1.002** | 0.100? | cheated | 0.295 | compute, winograd6 |"), "\(markdown)")
    #expect(markdown.contains("Claimed: old alone says what it took on 1 workload"))
    #expect(markdown.contains("elsewhere: 0.31 ms of noise hide 0.20 ms of work"))
    let page = try file("report.html")
    #expect(page.contains(">20.0×?<") && page.contains(">0.100?<") && page.contains(">0.400?<"))
    #expect(page.contains(">claimed<") && page.contains(">audited<") && page.contains(">host<"))
    let comparison = try #require(Self.run.benchmark.flatMap { PeerComparison.comparisons(of: $0).first })
    #expect(comparison.rows.map(\.peer) == ["peer"])
    #expect(try file("junit.xml").contains("<system-out>time: claimed</system-out>"))
    // Each of its repetitions and aggregates says so, and nobody else's does.
    let entries = try file("benchmarks.json").split(separator: "}").filter { $0.contains("\"run_name\"") }
    let isClaimed = entries.map { $0.contains("\"label\" : \"claimed\"") }
    #expect(isClaimed.contains(true) && isClaimed == entries.map { $0.contains("/old") })
    #expect(try file("bmf.json").contains("/old (claimed)\""))
  }

  @Test func rulesAreCountedByEngine() throws {
    let table = try #require(Self.run.benchmark.flatMap { AuditTable($0) })
    #expect(table.headings.prefix(4) == ["engine", "trust", "remembers", "elsewhere"])
    let expected = [
      ["direct", "host", "1", "1"], ["peer", "audited", "1", "1"], ["old", "claimed", "1", "0, 1 unresolved"],
      ["cheat", "audited", "0, 1 violated", "1"],
    ]
    #expect(table.rows.map { Array($0.prefix(4)) } == expected)
    #expect(table.caption == "On how many workloads each rule holds. Audits took 15 % of the time.")
    #expect(try file("report.md").contains("| cheat | audited | 0, 1 violated | 1 |"))
  }

  /// Between what is possible and the limit of the known algorithms there is a note, and no failure.
  @Test func belowTheLimitIsANote() throws {
    var section = SampleBenchmark.audited()
    section.workloads[0].contestants.removeLast()
    section.workloads[0].contestants[1].samples = (0..<6).map { DurationSamples([200_000 + $0]) }
    BenchmarkAnalysis.complete(&section)
    let run = SampleBenchmark.run(section)
    #expect(run.conclusion.outcome == .holds)
    let note =
      "Below limit: peer on 1 workload, at most 1.48 times as fast as the limit of winograd6, on "
      + "\(section.workloads[0].name)."
    #expect(BenchmarkNotes.lines(section).contains(note), "\(BenchmarkNotes.lines(section))")
    #expect(try file("report.md", of: run).contains("- **Note:** Below limit: peer"))
    #expect(try file("report.html", of: run).contains(">148 % compute, winograd6: below limit<"))
  }

  /// Whoever runs more threads than it was given cores is told so, and the run is conclusive.
  @Test func moreThreadsThanCoresAreANote() throws {
    var section = SampleBenchmark.audited()
    section.workloads[0].contestants.removeLast()
    section.workloads[0].waitingFraction = 0.01
    section.workloads[0].waitingAlone = "peer"
    section.workloads[0].contestants[1].waitingFraction = 0.49
    BenchmarkAnalysis.complete(&section)
    let run = SampleBenchmark.run(section)
    #expect(run.conclusion.outcome == .holds && section.doubts == [])
    let note =
      "Threads: those of peer waited for a core on 1 workload, at most 49 % of their time, for others of its own: it runs more "
      + "of them than it was given cores."
    #expect(BenchmarkNotes.lines(section).contains(note), "\(BenchmarkNotes.lines(section))")
    #expect(try file("report.md", of: run).contains("- **Note:** Threads: those of peer"))
  }

  /// The limit stands beside the times, and in the pictures.
  @Test func limitsAreShown() throws {
    let page = try file("report.html")
    #expect(page.contains("class=\"limit\"") && page.contains(">limit</text>"))
    #expect(page.contains("limit of conv2d n1c64h56w56 k64r3s3 stride1 pad1: 0.295 ms (compute, winograd6)"))
    #expect(page.contains(">15 % compute, winograd6<"))
    let lines = try file("benchmarks.csv").split(separator: "\r\n")
    // Memory was not measured.
    #expect(lines[0].hasSuffix(",trust,limit_algorithm,sets,violated,start_bytes,peak_bytes,running_bytes"))
    #expect(lines[1].hasSuffix(",host,winograd6,,,,,"))
    #expect(lines[4].hasSuffix(",audited,winograd6,,remembers,,,"))
  }

  /// A record as earlier versions wrote it has no trust, no audits and a limit of no algorithm.
  @Test func earlierRunsAreReadAsBefore() throws {
    var section = SampleBenchmark.section()
    section.workloads[0].limitNanoseconds = 1_156_055
    section.workloads[0].limitedBy = "compute"
    let text = String(decoding: try RunFile.data(SampleBenchmark.run(section)), as: UTF8.self)
    for name in ["trust", "audit", "limit_algorithm", "\"sets\"", "audit_seconds"] { #expect(!text.contains(name)) }
    let folder = try TemporaryDirectory()
    let path = folder.file("run.json").path
    try Data(text.utf8).write(to: URL(filePath: path))
    let run = try RunFile.read(path)
    #expect(try file("report.md", of: run).contains(" compute |") && AuditTable(section) == nil)
    #expect(BenchmarkNotes.lines(section) == [])
    #expect(try !file("report.html", of: run).contains("id=\"audits\""))
    #expect(try !file("junit.xml", of: run).contains("system-out"))
  }

  /// What stands in `run.json` is what the published schema says.
  @Test func recordsAreOfTheSchema() throws {
    let section = try #require(Self.run.benchmark)
    let data = try RunFile.data(Self.run)
    #expect(try JSONSchema(contentsOf: Repository.runSchema).errors(in: data) == [])
    let folder = try TemporaryDirectory()
    let path = folder.file("run.json").path
    try data.write(to: URL(filePath: path))
    let again = try #require(try RunFile.read(path).benchmark)
    #expect(again.workloads == section.workloads && again.auditSeconds == 12)
  }
}
