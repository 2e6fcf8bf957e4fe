import Foundation
import OperatingSystem
import Reporting
import OperatingSystem
import Results
import TestSupport
import Testing

@Suite struct ReportTests {
  static let run: Run = {
    var run = Run(
      provenance: Provenance(
        assayVersion: "1", command: ["assay", "verify"], seed: 1, started: "2026-11-21T00:00:00Z", gitCommit: "abc",
        gitDirty: true, compiler: "Swift", compilerFlags: "release", operatingSystem: "Linux", cpuModel: "CPU",
        coreCount: 2))
    let wrong = TensorResult(
      path: "outputs/y", shape: [1, 2], compared: 2, failing: 1, rule: "statistical", worstRatio: .infinity,
      worstUlps: .infinity, worst: WorstElement(index: [0, 1], got: .nan, expected: 2, bound: 1e-6),
      pattern: "one element")
    let results = [
      CaseResult(
        file: "a.h5", name: "/relu/<&\"odd\">", operation: "relu", fill: "random", engine: "mine", dtype: "float32",
        status: .fail, message: "outputs/y is wrong: one element", tensors: [wrong], seconds: 0.25,
        reproduce: "assay verify --filter 'x'"),
      CaseResult(
        file: "a.h5", name: "/relu/good", operation: "relu", fill: "exact", engine: "mine", dtype: "float32",
        status: .pass, tensors: [TensorResult(path: "outputs/y", shape: [2], compared: 2, worstRatio: 0.5)]),
      CaseResult(
        file: "a.h5", name: "/relu/known", operation: "relu", fill: "exact", engine: "mine", dtype: "float32",
        status: .fail, message: "off", knownFailure: "engine#12"),
      CaseResult(
        file: "a.h5", name: "/relu/crash", operation: "relu", fill: "exact", engine: "mine", dtype: "float32",
        status: .error, message: "signal 11\n\u{1}last words"),
      CaseResult(
        file: "a.h5", name: "/relu/none", operation: "relu", fill: "exact", engine: "mine", dtype: "float64",
        status: .unsupported, message: "no float64"),
    ]
    run.verification = VerificationSection(
      engines: [EngineRecord(name: "mine", version: "1", isBuiltIn: false)],
      files: [FileRecord(path: "a.h5", caseCount: 5), FileRecord(path: "b.h5", errors: ["b.h5: cut short"])],
      results: results, vacuity: [VacuityRecord(operation: "relu", noticedBy: ["gate dropped": ""])],
      staleKnownFailures: [StaleKnownFailure(engine: "mine", caseGlob: "x*", problem: "expired")], lambda: 8,
      filters: [], tags: [], shard: nil, strict: false, seconds: 1.5)
    return run
  }()

  @Test func `a run survives its file`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("deep/run.json").path
    let data = try RunFile.data(Self.run)
    try AtomicFile.write(data, to: path)
    let read = try RunFile.read(path)
    #expect(try RunFile.data(read) == data)
    #expect(read.verification?.results[0].tensors[0].worst?.got.isNaN == true)
    #expect(read.verification?.results[0].tensors[0].worstUlps == .infinity)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("deep").path) == ["run.json"])
  }

  @Test(arguments: [
    "", "{}", "{\"schema\":\"other\",\"schema_version\":1}", "{\"schema\":\"assay.run\",\"schema_version\":99}",
    "{\"schema\":\"assay.run\",\"schema_version\":1}",
  ])
  func `what is no run is refused`(text: String) throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("run.json").path
    try AtomicFile.write(text, to: path)
    #expect(throws: RunFile.Invalid.self) { try RunFile.read(path) }
    #expect(throws: RunFile.Invalid.self) { try RunFile.read(folder.file("missing.json").path) }
  }

  @Test func `the headline names the simplest failure that nobody knew of`() throws {
    let fact = try #require(RunFacts.facts(of: Self.run).first)
    #expect(fact == "2 golden results are wrong or missing, the simplest of them /relu/crash by mine in float32.")
  }

  @Test(
    arguments: [(1, [1], nil), (1, [2, 1], "with 1 thread:"), (3, [3], "with 3 threads:")] as [(Int, [Int], String?)])
  func `threads are spoken of where they are a clue`(failing: Int, asked: [Int], line: String?) {
    var result =
      Self.run.verification?.results[0]
      ?? CaseResult(
        file: "", name: "", operation: "", fill: "", engine: "", dtype: "", status: .fail)
    (result.failingThreads, result.threads) = (failing, asked)
    #expect(FailureText.details(result).first { $0.hasPrefix("with ") } == line)
  }

  @Test func `JUnit is well-formed and counts what fails`() throws {
    let text = JUnitReport.text(Self.run)
    // 5 results, one bad file, one vacuity, one stale entry, and the outcome.
    #expect(text.contains("tests=\"9\" failures=\"3\" errors=\"3\""))
    #expect(text.contains("name=\"verification\" classname=\"outcome\""))
    #expect(text.contains("/relu/&lt;&amp;&quot;odd&quot;&gt; [mine float32]"))
    #expect(text.contains("known failure: engine#12"))
    #expect(!text.contains("\u{1}"))
    #expect(text.components(separatedBy: "<testcase").count - 1 == 9)
    #expect(text.components(separatedBy: "<skipped").count - 1 == 2)
    // Every element that is opened is closed.
    for element in ["testsuites", "testsuite", "failure", "error"] {
      let opened = text.components(separatedBy: "<\(element) ").count
      #expect(opened == text.components(separatedBy: "</\(element)>").count, "\(element)")
    }
  }

  @Test func `networks stand by depth, end to end and layer by layer`() throws {
    func network(_ name: String, layers: LayerwiseRecord?) -> CaseResult {
      var result = CaseResult(
        file: "n.h5", name: "/resnet/\(name)/64x64/training", operation: "resnet", fill: "random", engine: "mine",
        dtype: "float32", status: .pass,
        tensors: [("outputs/stage1", 0.125), ("outputs/logits", 0.25), ("gradients/fc.bias", 0.5)].map {
          TensorResult(path: $0.0, shape: [2], compared: 2, worstRatio: $0.1)
        })
      result.layers = layers
      return result
    }
    let worst = TensorResult(path: "layers/layer1.0.conv1/outputs/y", shape: [2], compared: 2, worstRatio: 0.75)
    var run = Self.run
    run.verification?.results += [
      network("resnet101", layers: nil),
      network("resnet18", layers: LayerwiseRecord(judged: 1, worst: ["stage1": worst])),
    ]
    let folder = try TemporaryDirectory()
    let path = folder.file("run.json").path
    try AtomicFile.write(try RunFile.data(run), to: path)
    let read = try RunFile.read(path)
    #expect(read.verification?.results.last?.layers?.worst["stage1"] == worst)
    let lines = MarkdownReport.text(read).split(separator: "\n").filter {
      $0.contains("x64/training") && $0.contains("|")
    }
    #expect(
      lines == [
        "| resnet18/64x64/training | mine | float32 | PASS | 0.125 | – | – | – | 0.250 | – | 0.500 | – | 0.750 | layer1.0.conv1/outputs/y |",
        "| resnet101/64x64/training | mine | float32 | PASS | 0.125 | – | – | – | 0.250 | – | 0.500 | – | – | – |",
      ])
  }

  @Test func `Markdown names the failure and the command that repeats it`() {
    let text = MarkdownReport.text(Self.run)
    for part in [
      "**Bad data**", "outputs/y[0,1]: got nan, expected 2.0", "repeat: assay verify --filter 'x'",
      "**nothing: VACUOUS**", "mine: no float64: 1", "b.h5: cut short", "| relu | mine | 1 | 2 | 1 | 0 | 1 | 1 | 0 |",
    ] {
      #expect(text.contains(part), "\(part)")
    }
  }

  @Test func `same run, same bytes`() {
    #expect(MarkdownReport.text(Self.run) == MarkdownReport.text(Self.run))
  }

  @Test func `a report that cannot be written says so and leaves nothing behind`() throws {
    let folder = try TemporaryDirectory()
    try AtomicFile.write("x", to: folder.file("file").path)
    #expect(throws: AtomicFile.Failure.self) { try AtomicFile.write("y", to: folder.file("file/below").path) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["file"])
  }
}
