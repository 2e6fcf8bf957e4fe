import Foundation
import Reporting
import Results
import TestSupport
import Testing

/// `run.json` from version to version, and its published schema.
@Suite struct RunFileTests {
  private func object(_ data: Data) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private func read(_ object: [String: Any]) throws -> Run {
    let folder = try TemporaryDirectory()
    let file = folder.file("run.json")
    try JSONSerialization.data(withJSONObject: object).write(to: file)
    return try RunFile.read(file.path)
  }

  @Test func `version 1 is read, and written again as the current version`() throws {
    let run = try RunFile.read(Repository.versionOneRun.path)
    #expect(run.verification?.results.count == 3 && run.benchmark?.workloads.count == 2)
    #expect(run.conclusions.map(\.part) == [.verification, .gradients, .selfTest, .benchmark])
    #expect(run.conclusion.outcome == .holds, "\(run.conclusion)")
    let written = try object(RunFile.data(run))
    #expect(written["schema_version"] as? Int == Run.currentSchemaVersion)
    #expect(written["outcome"] as? String == "holds")
    #expect(try JSONSchema(contentsOf: Repository.runSchema).errors(in: RunFile.data(run)) == [])
  }

  /// Whatever the file says of itself: its records decide.
  @Test(arguments: ["FAIL", "ERROR"])
  func `an exit code of version 1 is not believed`(_ status: String) throws {
    var record = try object(Data(contentsOf: Repository.versionOneRun))
    var verification = try #require(record["verification"] as? [String: Any])
    var results = try #require(verification["results"] as? [[String: Any]])
    #expect(verification["exit_code"] as? Int == 0)
    results[0]["status"] = status
    verification["results"] = results
    record["verification"] = verification
    #expect(try read(record).conclusion.outcome == .fails)
  }

  @Test func `an outcome in the file is not believed either`() throws {
    var run = ReportTests.run
    run.verification?.files = []
    var record = try object(RunFile.data(run))
    #expect(record["outcome"] as? String == "fails")
    #expect((record["parts"] as? [String: [String: Any]])?["verification"]?["outcome"] as? String == "fails")
    record["outcome"] = "holds"
    #expect(try read(record).conclusion.outcome == .fails)
  }

  @Test func `a version 1 run without a part decides nothing`() throws {
    var record = try object(Data(contentsOf: Repository.versionOneRun))
    for part in RunPart.allCases { record[part.rawValue] = nil }
    #expect(try read(record).conclusion.outcome == .inconclusive)
  }

  @Test func `a newer version is refused`() throws {
    var record = try object(RunFile.data(ReportTests.run))
    record["schema_version"] = Run.currentSchemaVersion + 1
    #expect(throws: RunFile.Invalid.self) { try read(record) }
  }

  @Test(arguments: ["a", "self_test"])
  func `every run that a test writes has the published schema`(_ name: String) throws {
    let schema = try JSONSchema(contentsOf: Repository.runSchema)
    var run = name == "a" ? ReportTests.run : BenchmarkReportTests.run
    run.provenance.partCommands = [["assay", "verify"]]
    run.holes = [RunHole("self_test is missing", outcome: .internalError, command: "assay selftest")]
    run.verification?.results.append(
      CaseResult(
        file: "a.h5", name: "/x", operation: "relu", fill: "exact", engine: "mine", dtype: "float32", status: .notRun))
    #expect(try schema.errors(in: RunFile.data(run)) == [])
  }

  @Test(
    arguments: [
      ("outcome", "well"), ("schema_version", 1), ("parts", ["verification": ["outcome": "holds"]]), ("colour", "red"),
      ("provenance", ["seed": -1]), ("holes", "none"),
    ] as [(String, any Sendable)])
  func `the validator refuses what is not of the schema`(_ key: String, _ value: any Sendable) throws {
    var record = try object(RunFile.data(ReportTests.run))
    record[key] = value
    let data = try JSONSerialization.data(withJSONObject: record)
    #expect(try !JSONSchema(contentsOf: Repository.runSchema).errors(in: data).isEmpty)
  }

  @Test func `every status that decides nothing is red in JUnit`() {
    var run = ReportTests.run
    run.verification?.files = [FileRecord(path: "a.h5")]
    run.verification?.vacuity = []
    run.verification?.staleKnownFailures = []
    run.verification?.results = [
      CaseResult(
        file: "a.h5", name: "/x", operation: "relu", fill: "exact", engine: "mine", dtype: "float32", status: .notRun,
        message: "it never answered"),
      CaseResult(
        file: "a.h5", name: "/y", operation: "relu", fill: "exact", engine: "mine", dtype: "float32", status: .pass),
    ]
    let text = JUnitReport.text(run)
    // The case, and the outcome.
    #expect(text.contains("tests=\"3\" failures=\"0\" errors=\"2\""), "\(text)")
    #expect(text.contains("NOT RUN: it never answered"))
    #expect(MarkdownReport.text(run).contains("| NOT RUN |"))
    run.verification?.results.removeFirst()
    #expect(JUnitReport.text(run).contains("tests=\"2\" failures=\"0\" errors=\"0\""))
    run.verification?.interrupted = true
    #expect(JUnitReport.text(run).contains("tests=\"2\" failures=\"0\" errors=\"1\""))
    run.verification?.interrupted = false
    run.holes = [RunHole("gradients is missing")]
    #expect(JUnitReport.text(run).contains("tests=\"3\" failures=\"0\" errors=\"1\""))
  }
}
