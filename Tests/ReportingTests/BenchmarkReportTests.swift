import Foundation
import Reporting
import Results
import TestSupport
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

  @Test(arguments: [1e308, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0, -1e308])
  func whatNoAxisCanShowIsLeftOut(value: Double) throws {
    var run = Self.run
    for index in 0..<2 {
      let other = index == 0 ? value : -value
      run.benchmark?.workloads[0].contestants[index].time?.medianNanoseconds = other
      run.benchmark?.workloads[0].contestants[index].time?.equivalentGigaflops = other
      run.benchmark?.workloads[0].contestants[index].time?.speedup = other
    }
    #expect(try !file("report.html", of: run).isEmpty)
  }

  @Test func howSlowAnEngineIsCanBeRead() throws {
    var run = Self.run
    run.benchmark?.workloads[0].contestants[1].time?.speedup = 1 / 603
    #expect(String(decoding: try file("report.html", of: run), as: UTF8.self).contains("1/603×"))
  }

  @Test func pageIsOneFileWithoutTheOutsideWorld() throws {
    let page = String(decoding: try file("report.html"), as: UTF8.self)
    #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("src="))
    // The page's own script, which adds to what is there: no content is made by it, and foreign text is never markup to it.
    #expect(page.components(separatedBy: "<script").count == 2)
    let script = try #require(page.firstMatch(of: /(?s)<script>(.*)<\/script>/)).output.1
    #expect(!script.contains("innerHTML") && !script.contains("eval") && !script.contains("document.write"))
    #expect(page.contains("&lt;script&gt;"), "what a run says is text")
    #expect(page.contains("<svg") && page.contains("Peers side by side"))
  }

  @Test func googleBenchmarkFileHasTheSchemasFields() throws {
    let parsed = try #require(try JSONSerialization.jsonObject(with: file("benchmarks.json")) as? [String: Any])
    let context = try #require(parsed["context"] as? [String: Any])
    #expect(context["json_schema_version"] as? Int == 1)
    let entries = try #require(parsed["benchmarks"] as? [[String: Any]])
    let kinds = entries.map { ($0["aggregate_name"] ?? $0["run_type"]) as? String }
    // Each has one block, of which there is no spread.
    #expect(kinds == ["iteration", "mean", "median", "iteration", "mean", "median"])
    for entry in entries { #expect(entry["time_unit"] as? String == "ns" && entry["real_time"] is Double) }
    let repetition = try #require(entries.first)
    #expect(repetition["repetition_index"] as? Int == 0 && repetition["repetitions"] as? Int == 1)
    #expect(repetition["name"] as? String == repetition["run_name"] as? String)
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

  private func page(_ run: Run) throws -> String { String(decoding: try file("report.html", of: run), as: UTF8.self) }
  private func markdown(_ run: Run) throws -> String { String(decoding: try file("report.md", of: run), as: UTF8.self) }

  private func changed(_ change: (inout BenchmarkSection) -> Void) -> Run {
    var run = Self.run
    if var section = run.benchmark {
      change(&section)
      run.benchmark = section
    }
    return run
  }

  /// One element of the peer's result is wrong.
  private var wrong: Run {
    changed { section in
      section.workloads[0].contestants[1].status = .wrong
      section.workloads[0].contestants[1].time = nil
      section.workloads[0].contestants[1].message = "outputs/y is wrong: one element"
      section.workloads[0].contestants[1].failing = [
        TensorResult(
          path: "outputs/y", shape: [1, 2, 2, 2], compared: 8, failing: 1, rule: "statistical", worstRatio: 4.05,
          worstUlps: 1e20, worst: WorstElement(index: [0, 1, 0, 1], got: 2.5, expected: 2, bound: 0.125),
          pattern: "one element")
      ]
    }
  }

  /// What verify prints of a wrong tensor, a benchmark prints as well; and a mark of its own leads to it.
  @Test func wrongContestantsSayWhatIsWrong() throws {
    let page = try page(wrong)
    let text = try markdown(wrong)
    #expect(text.contains("outputs/y[0,1,0,1]: got 2.5, expected 2.0, bound 0.125, error/bound 4.05"))
    #expect(text.contains("> 2^32 ULPs"))
    for part in ["outputs/y[0,1,0,1]", "2.5", "2.0", "0.125", "4.05, at most 1", "&gt; 2^32"] {
      #expect(page.contains(">\(part)<"), "\(part)")
    }
    #expect(page.contains("class=\"wrong\"") && page.contains(">WRONG<"))
    let link = try #require(page.firstMatch(of: /<a href="#(wrong-[^"]+)">/)).output.1
    #expect(page.contains(" id=\"\(link)\">"), "the mark leads nowhere")
    #expect(link.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789-".contains($0) })
    // An engine that does not do it is hatched, and no link.
    let idle = try self.page(
      changed {
        $0.workloads.append($0.workloads[0])
        $0.workloads[0].contestants[1].status = .unsupported
        $0.workloads[0].contestants[1].time = nil
      })
    #expect(idle.contains("class=\"hatch\"") && !idle.contains("<a href=\"#wrong"))
  }

  /// An engine that does nothing of what was asked is not passed over in silence.
  @Test func enginesThatWereTimedNowhere() throws {
    #expect(try #require(Self.run.benchmark).timedNowhere.isEmpty)
    let idle = changed {
      $0.workloads[0].contestants[1].status = .unsupported
      $0.workloads[0].contestants[1].message = "no layout of its own"
    }
    let found = try #require(idle.benchmark).timedNowhere
    #expect(found.map(\.engine) == ["peer"] && found.map(\.reason) == ["no layout of its own"])
  }

  /// The command of a line is one that a shell reads back, and names the suite or the network.
  @Test func commandsAreQuotedAndComplete() throws {
    let section = try #require(Self.run.benchmark)
    let workload = section.workloads[0]
    func command(_ section: BenchmarkSection, seed: UInt64 = 1, given: String...) -> [String] {
      BenchmarkReproduction.command(
        workload.contestants[1], on: workload, of: section, seed: seed, given: ShellCommand(given)
      ).words
    }
    let end = ["--engine", "peer='x \"y\"'", "--filter", workload.name]
    #expect(command(section) == ["assay", "bench", "--suite", "Benchmarks/s.toml"] + end)
    #expect(
      command(section, seed: 3, given: "--suite", "my.toml") == ["assay", "bench", "--suite", "my.toml", "--seed", "3"]
        + end)
    #expect(
      command(section, given: "assay", "bench", "--pass-env=A", "--quiet", "--sandbox", "--pass-env", "B")
        == ["assay", "bench", "--suite", "Benchmarks/s.toml", "--pass-env", "A", "--pass-env", "B", "--sandbox"] + end)
    // What the command line had in place of a suite's stays: otherwise no workload would match.
    let setting = ["--threads", "1", "--pass", "forward", "--layout", "nchw"]
    #expect(
      command(section, given: "assay", "bench", "--operation", workload.problem)
        == ["assay", "bench", "--operation", workload.problem] + setting + end)
    #expect(
      command(section, given: "assay", "bench", "--suite", "my.toml", "--pass", "forward")
        == ["assay", "bench", "--suite", "my.toml", "--pass", "forward"] + end)
    let network = changed {
      $0.networks = [
        BenchmarkNetwork(
          name: "resnet18", batch: 1, imageSize: 224,
          layers: [.init(name: "a", stage: "b", problem: workload.problem, multiplicity: 1)])
      ]
      $0.options.cold = true
    }
    let timed = try #require(network.benchmark)
    #expect(
      command(timed)
        == [
          "assay", "bench", "--depth", "resnet18", "--batch", "1", "--threads", "1", "--pass", "forward", "--layout",
          "nchw", "--cold",
        ] + end)
    #expect(try page(Self.run).contains("assay bench --suite Benchmarks/s.toml --engine "))
  }

  @Test func timesInDoubtHaveNoHeadline() throws {
    let doubtful = changed {
      $0.doubts = ["3 blocks give no interval"]
      for index in $0.workloads[0].contestants.indices {
        $0.workloads[0].contestants[index].time?.lowerNanoseconds = 1
        $0.workloads[0].contestants[index].time?.upperNanoseconds = 2
      }
    }
    let text = try markdown(doubtful)
    #expect(text.contains("Inconclusive") && text.contains("3 blocks give no interval"))
    #expect(!text.contains("Geometric mean"))
    let comparison = try #require(doubtful.benchmark.flatMap { PeerComparison.comparisons(of: $0).first })
    #expect(comparison.rows.allSatisfy { $0.winner == "open" })
  }

  /// Without an interval nobody has won; with intervals apart somebody has, and the median stands beside the mean.
  @Test func peersAreOpenWithoutIntervals() throws {
    let without = try #require(Self.run.benchmark.flatMap { PeerComparison.comparisons(of: $0).first })
    #expect(without.rows.map(\.winner) == ["open"] && without.summary.contains("open on 1"))
    let apart = changed { section in
      for index in section.workloads[0].contestants.indices {
        let median = section.workloads[0].contestants[index].time?.medianNanoseconds ?? 0
        section.workloads[0].contestants[index].time?.lowerNanoseconds = median * 0.9
        section.workloads[0].contestants[index].time?.upperNanoseconds = median * 1.1
      }
      // The same again, and once with a hundred times that ratio.
      let workload = section.workloads[0]
      section.workloads += [workload, workload]
      section.workloads[2].contestants[1].time?.medianNanoseconds = 2e8
    }
    let found = try #require(apart.benchmark.flatMap { PeerComparison.comparisons(of: $0).first })
    #expect(found.rows.allSatisfy { $0.winner == "strategy" })
    #expect(found.ratios()?.median == 2)
    #expect(found.summary.contains("Geometric mean 9.28, median 2.00"), "\(found.summary)")
    #expect(!found.summary.contains("Winograd"))
  }

  /// What a peer claims is not taken for its time, and leaves the row open: without it we would look better than we are.
  @Test func aClaimThatIsFasterLeavesARowOpen() throws {
    let run = changed { section in
      for index in section.workloads[0].contestants.indices {
        let median = section.workloads[0].contestants[index].time?.medianNanoseconds ?? 0
        section.workloads[0].contestants[index].time?.lowerNanoseconds = median * 0.9
        section.workloads[0].contestants[index].time?.upperNanoseconds = median * 1.1
      }
      var other = section.workloads[0].contestants[1]
      other.engine = "claimant"
      other.trust = .claimed
      other.time?.medianNanoseconds = 1
      section.workloads[0].contestants.append(other)
      var engine = section.engines.first { !$0.isBuiltIn }
      engine?.name = "claimant"
      section.engines += [engine].compactMap { $0 }
    }
    let found = try #require(run.benchmark.flatMap { PeerComparison.comparisons(of: $0).first })
    #expect(found.rows.map(\.winner) == ["open: claimant claims less"])
    #expect(found.summary.contains("open on 1, 1 by claims that no audit confirmed"), "\(found.summary)")
  }

  /// What Winograd wins stands apart from what it has no part in.
  @Test func meansComeInParts() throws {
    let run = changed { section in
      var workload = section.workloads[0]
      workload.contestants[0].time?.actualGigaflops = 50
      workload.contestants[1].time?.medianNanoseconds = 8e6
      section.workloads.append(workload)
    }
    let found = try #require(run.benchmark.flatMap { PeerComparison.comparisons(of: $0).first })
    #expect(
      found.summary.hasPrefix(
        "Geometric mean 4.00, median 5.00 over 2 workloads (above 1 the strategy is faster); mean 8.00, median 8.00 on "
          + "the 1 where Winograd is the best strategy, mean 2.00, median 2.00 on the other 1; open on 2"),
      "\(found.summary)")
  }

  /// A tie is called one in every table, and its speed-up too.
  @Test func tiesAreCalledTies() throws {
    let tied = changed {
      $0.workloads[0].ties = ["peer"]
      $0.workloads[0].contestants[0].time?.speedupLower = 0.9
      $0.workloads[0].contestants[0].time?.speedupUpper = 1.1
    }
    let page = try page(tied)
    // A strategy is what is to be taken, and who else is as fast stands beside it.
    #expect(page.contains(">direct<") && page.contains(">tie: peer<") && page.contains(">tie<"))
    #expect(try markdown(tied).contains("| **1.000** | **2.000** |"))
  }

  /// Above the peak only equivalent work can be, whoever did it.
  @Test func ratesAboveThePeakAreMarked() throws {
    let page = try page(
      changed {
        $0.workloads[0].contestants[0].time?.peakFraction = 1.12
        $0.workloads[0].contestants[1].time?.peakFraction = 0.5
      })
    #expect(page.contains(">112 % (equivalent)<") && page.contains(">50 %<"))
  }

  /// Every figure that others divide by, in each place where one may stand.
  @Test(arguments: [Double.nan, .infinity, -.infinity, 0, -1])
  func impossibleFiguresAreNoRun(value: Double) throws {
    let changes: [(String, (inout BenchmarkSection) -> Void)] = [
      ("direct on conv2d", { $0.workloads[0].contestants[0].time?.medianNanoseconds = value }),
      ("peer on conv2d", { $0.workloads[0].contestants[1].time?.minimumNanoseconds = value }),
      ("direct on conv2d", { $0.workloads[0].contestants[0].time?.speedup = value }),
      ("direct on conv2d", { $0.workloads[0].contestants[0].time?.upperNanoseconds = value }),
      ("conv2d n1c64", { $0.workloads[0].flops = value }),
      (
        "forward nchw t1, layer1",
        { section in
          section.workloads[0].contestants[0].layers = [
            LayerTime(layer: "layer1", problem: nil, strategy: "direct", nanoseconds: value)
          ]
        }
      ),
      ("calibration with 1 thread", { $0.ceilings[0].peakGigaflops = value }),
      ("calibration with 1 thread", { $0.ceilings[0].frozenConvolutionNanoseconds = value }),
      (
        "direct, all convolutions of n",
        { section in
          section.totals = [
            NetworkTotal(
              network: "n", batch: 1, threads: 1, pass: "forward", layout: "nchw", convolutions: 1,
              entries: [.init(engine: "direct", nanoseconds: value, substituted: 0, parts: [])])
          ]
        }
      ),
    ]
    let folder = try TemporaryDirectory()
    let path = folder.file("run.json").path
    for (place, change) in changes {
      let run = changed {
        $0.ceilings = [
          CeilingRecord(
            threads: 1, peakGigaflops: 1, l2GigabytesPerSecond: 1, l3GigabytesPerSecond: nil,
            memoryGigabytesPerSecond: 1, frozenConvolutionNanoseconds: 1)
        ]
        change(&$0)
      }
      try RunFile.data(run).write(to: URL(filePath: path))
      #expect {
        try RunFile.read(path)
      } throws: { error in
        "\(error)".contains(path) && "\(error)".contains(place) && "\(error)".contains("above 0")
      }
    }
  }

  @Test(arguments: [0, -1])
  func impossibleMemoryIsNoRun(bytes: Int) throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("run.json").path
    for memory in [
      MemoryRecord(startBytes: bytes, peakBytes: 1, runningBytes: nil),
      MemoryRecord(startBytes: 1, peakBytes: bytes, runningBytes: 1),
      MemoryRecord(startBytes: 1, peakBytes: 1, runningBytes: bytes),
    ] {
      try RunFile.data(changed { $0.workloads[0].contestants[1].memory = memory }).write(to: URL(filePath: path))
      #expect {
        try RunFile.read(path)
      } throws: { error in
        "\(error)".contains("peer on conv2d") && "\(error)".contains("bytes above 0")
      }
    }
  }

  @Test func aWrongResultWithATimeIsNoRun() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("run.json").path
    try RunFile.data(changed { $0.workloads[0].contestants[1].status = .wrong }).write(to: URL(filePath: path))
    #expect(throws: RunFile.Invalid.self) { try RunFile.read(path) }
  }

  /// A rule that is violated and a time exclude each other, and who is said to cheat has violated one.
  @Test(arguments: [
    (BenchmarkStatus.timed, AuditVerdict.violated, true), (.cheated, .holds, false), (.cheated, .unresolved, false),
  ])
  func anAuditThatContradictsItsVerdictIsNoRun(status: BenchmarkStatus, verdict: AuditVerdict, isTimed: Bool) throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("run.json").path
    let run = changed {
      $0.workloads[0].contestants[1].status = status
      $0.workloads[0].contestants[1].audit = AuditRecord([AuditFinding(.clock, verdict, evidence: "e")])
      if !isTimed { $0.workloads[0].contestants[1].time = nil }
    }
    try RunFile.data(run).write(to: URL(filePath: path))
    #expect {
      try RunFile.read(path)
    } throws: { error in
      "\(error)".contains("peer on conv2d") && "\(error)".contains("violated")
    }
  }

  /// Ticks that differ are labelled differently, however near to each other they are.
  @Test(arguments: [
    [2.0e6, 2.1e6], [1.9e6, 1.91e6], [1e3, 9e8], [1.234567e6, 1.234568e6], [5, 6], [3e15, 3.1e15],
  ])
  func historysTicksTellApart(times: [Double]) throws {
    var run = Run(provenance: Self.run.provenance)
    let points = times.map { HistorySection.Point(run: "r", started: "2026-01-01", commit: nil, nanoseconds: $0) }
    run.history = HistorySection(
      directory: "d", series: [.init(key: "k", benchmark: "b", engine: "e", points: points, changePoints: [])],
      skipped: [])
    let history = String(decoding: try file("history.html", of: run), as: UTF8.self)
    let labels = history.matches(of: /text-anchor="end" class="tick">([^<]+)</).map { String($0.output.1) }
      .filter { !$0.contains("2026") }
    #expect(labels.count >= 3 && Set(labels).count == labels.count, "\(labels)")
  }

  /// A file from outside may name a change where no run is, machines in any order, and names that no table can hold.
  @Test func oddHistoriesArePages() throws {
    let points = (0..<4).map {
      HistorySection.Point(run: "r\($0)", started: "2026-01-0\($0 + 1)", commit: nil, nanoseconds: $0 < 2 ? 1e6 : 2e6)
    }
    let series = ["k", "l", "k"].enumerated().map { index, key in
      var series = HistorySection.Series(
        key: key, benchmark: "b\n\(index)", engine: "e\(index)", points: points, changePoints: [2])
      series.changes = [-1, 2, 4, Int.max].map {
        HistorySection.Change(position: $0, before: 1e6, after: 2e6, pValue: 0.01, isConfirmed: true, differences: [])
      }
      return series
    }
    var run = Run(provenance: Self.run.provenance)
    run.history = HistorySection(directory: "d", series: series, skipped: [])
    #expect(run.history?.moved.map(\.change.position) == [2, 2, 2])
    let history = String(decoding: try file("history.html", of: run), as: UTF8.self)
    #expect(history.contains("3 confirmed changes, 0 weak ones"))
    for part in ["<h3>k</h3>", "<h3>l</h3>", "<h3>Changes</h3>", "<h2>What moved</h2>"] {
      #expect(history.components(separatedBy: part).count == 2, "\(part)")
    }
    #expect(try HTMLReport.text(run).contains("3 confirmed changes, 0 weak ones"))
    // Otava finds a column by its name.
    let (names, table) = try (file("otava.yaml", of: run), file("history-1.csv", of: run))
    #expect(String(decoding: table, as: UTF8.self).contains(",b\\n0 e0,"))
    #expect(String(decoding: names, as: UTF8.self).contains("column: \"b\\\\n0 e0\""))
  }

  /// An engine looks the same in the charts of benchmarks that others did as well.
  @Test func historysEnginesKeepTheirLooks() throws {
    func series(_ benchmark: String, _ engine: String) -> HistorySection.Series {
      let points = [1e6, 2e6].map {
        HistorySection.Point(run: "r\($0)", started: "2026-01-01", commit: nil, nanoseconds: $0)
      }
      return .init(key: "k", benchmark: benchmark, engine: engine, points: points, changePoints: [])
    }
    var run = Run(provenance: Self.run.provenance)
    run.history = HistorySection(
      directory: "d", series: [series("a", "mine"), series("b", "direct"), series("b", "mine")], skipped: [])
    let history = String(decoding: try file("history.html", of: run), as: UTF8.self)
    let looks = history.matches(of: #/fill="(\#[0-9A-F]{6})"[^>]*><title>mine 2026/#).map { String($0.output.1) }
    #expect(looks.count == 4 && Set(looks).count == 1, "\(looks)")
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
