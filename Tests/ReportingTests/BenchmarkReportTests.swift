import Foundation
import Reporting
import Results
import Testing

@Suite struct BenchmarkReportTests {
  static let run: Run = {
    var run = Run(
      provenance: Provenance(
        assayVersion: "1", command: ["assay", "bench", "<script>"], seed: 1, started: "2026-01-01T00:00:00Z",
        gitCommit: nil, gitDirty: nil, compiler: "c", compilerFlags: "f", operatingSystem: "o", cpuModel: "x",
        coreCount: 2))
    let problem = "conv2d n1c64h56w56 k64r3s3 stride1 pad1"
    var section = BenchmarkSection(
      suite: "s", options: .init(blocks: 6, sliceMilliseconds: 20, cold: false, dtype: "float32", baseline: "direct"),
      machine: MachineRecord(
        cpuModel: "x", cores: 2, instructionSets: ["avx2"], selectedInstructionSet: "avx2", l1DataBytes: 1, l2Bytes: 2,
        l3Bytes: nil, governor: nil, loadBefore: nil),
      engines: [
        .init(name: "direct", version: "1", isBuiltIn: true, command: "direct", info: [:]),
        .init(name: "peer", version: "1", isBuiltIn: false, command: "peer='x \"y\"'", info: [:]),
      ])
    var workload = BenchmarkWorkload(
      name: "\(problem) forward nchw t1", operation: "conv2d", problem: problem, batch: 1, pass: "forward",
      layout: "nchw", threads: 1, flops: 2e8, compulsoryBytes: 1e6)
    for (name, nanoseconds) in [("direct", 1e6), ("peer", 2e6)] {
      var contestant = BenchmarkContestant(engine: name, status: .timed, worstRatio: 0.25)
      contestant.summary = "a, \"b\""
      contestant.samples = [DurationSamples([UInt64(nanoseconds)])]
      var time = TimeSummary(
        medianNanoseconds: nanoseconds, minimumNanoseconds: nanoseconds, lowerNanoseconds: nil, upperNanoseconds: nil,
        equivalentGigaflops: 2e8 / nanoseconds, gigabytesPerSecond: 1)
      time.speedup = 1e6 / nanoseconds
      contestant.time = time
      workload.contestants.append(contestant)
    }
    workload.best = "direct"
    workload.bestBuiltIn = "direct"
    section.workloads = [workload]
    run.benchmark = section
    return run
  }()

  private func file(_ name: String, of run: Run = BenchmarkReportTests.run) throws -> Data {
    try #require(try ReportFolder.files(run).first { $0.name == name }?.data)
  }

  @Test func reportsFromAStoredRunAreTheSameBytes() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "assay-report-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try ReportFolder.write(Self.run, to: folder.path).isEmpty)
    let again = try RunFile.read(folder.path + "/run.json")
    for file in try ReportFolder.files(again) {
      #expect(try Data(contentsOf: folder.appending(path: file.name)) == file.data, "\(file.name)")
    }
  }

  @Test func pageIsOneFileWithoutScriptOrOutsideWorld() throws {
    let page = String(decoding: try file("report.html"), as: UTF8.self)
    #expect(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"))
    #expect(page.contains("&lt;script&gt;"), "what a run says is text")
    #expect(page.contains("<svg") && page.contains("Peers side by side"))
  }

  @Test func googleBenchmarkFileHasTheSchemasFields() throws {
    let parsed = try #require(try JSONSerialization.jsonObject(with: file("benchmarks.json")) as? [String: Any])
    let context = try #require(parsed["context"] as? [String: Any])
    #expect(context["json_schema_version"] as? Int == 1)
    let entries = try #require(parsed["benchmarks"] as? [[String: Any]])
    #expect(entries.count == 2)
    for entry in entries {
      #expect(entry["run_type"] as? String == "aggregate" && entry["aggregate_name"] as? String == "median")
      #expect(entry["time_unit"] as? String == "ns" && entry["real_time"] is Double)
      #expect((entry["name"] as? String)?.hasSuffix("_median") == true)
    }
  }

  @Test func figuresThatAreNoNumberAreLeftOut() throws {
    var run = Self.run
    run.benchmark?.workloads[0].contestants[0].time?.medianNanoseconds = .nan
    run.benchmark?.workloads[0].contestants[1].time?.equivalentGigaflops = .infinity
    for name in ["benchmarks.json", "bmf.json"] {
      let text = String(decoding: try file(name, of: run), as: UTF8.self)
      #expect(!text.lowercased().contains("nan") && !text.contains("inf"))
    }
    _ = try file("report.html", of: run)
  }

  @Test func csvQuotesWhatNeedsIt() throws {
    let lines = String(decoding: try file("benchmarks.csv"), as: UTF8.self).split(separator: "\r\n")
    #expect(lines.count == 3)
    #expect(lines[1].contains("\"a, \"\"b\"\"\""))
  }

  @Test func samplesAreReadBackAndRefusedWhenDamaged() throws {
    let samples = DurationSamples([1, 2, 18_446_744_073_709_551_615])
    let data = try JSONEncoder().encode(samples)
    #expect(try JSONDecoder().decode(DurationSamples.self, from: data) == samples)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(DurationSamples.self, from: Data("\"1 x\"".utf8)) }
  }

  /// A run.json that is cut short, is of a newer version, or is none.
  @Test func badRunsAreOneClearError() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "assay-run-\(UUID().uuidString).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let whole = try RunFile.data(Self.run)
    let newer = String(decoding: whole, as: UTF8.self).replacing(
      "\"schema_version\" : \(Run.currentSchemaVersion)", with: "\"schema_version\" : \(Run.currentSchemaVersion + 1)")
    for (data, expected) in [
      (whole.prefix(whole.count / 2), path), (Data(newer.utf8), "update Assay"), (Data("{}".utf8), "assay.run"),
    ] {
      try data.write(to: URL(filePath: path))
      #expect {
        try RunFile.read(path)
      } throws: { error in
        "\(error)".contains(expected)
      }
    }
  }
}
