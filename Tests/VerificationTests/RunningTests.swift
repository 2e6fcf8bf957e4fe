import Engines
import Foundation
import GoldenFiles
import Problems
import Results
import TOMLFiles
import Tensors
import TestSupport
import Testing
import Verification

@Suite struct RunningTests {
  // MARK: Shards

  @Test func `shards of the flag`() throws {
    #expect(try Shard("2/4") == Shard(index: 1, count: 4))
    for text in [
      "0/4", "5/4", "1", "a/b", "1/0", "1/2/3", "-1/2", "\(Int.min)/4", "\(Int.min)/\(Int.max)", "1/\(Int.min)",
      "9223372036854775808/4",
    ] {
      #expect(throws: Shard.Invalid.self) { try Shard(text) }
    }
  }

  // MARK: Known failures

  private func result(_ name: String, _ status: VerificationStatus, engine: String = "mine") -> CaseResult {
    CaseResult(
      file: "f.h5", name: name, operation: "conv2d", fill: "random", engine: engine, dtype: "float32", status: status)
  }

  private func known(_ text: String) throws -> KnownFailures { try KnownFailures(text: text, path: "known.toml") }

  private static let entry = """
    [[known_failure]]
    engine = "mine"
    case = "/conv2d/nan*"
    reason = "flushes denormals"
    expires = 2027-01-31
    """

  /// What is wrong with the entries, when they cover so many results.
  private func problems(
    _ known: KnownFailures, _ results: inout [CaseResult], today: String = "2027-01-31", covered: Int? = 1
  ) -> [String] {
    known.apply(to: &results, today: today) { _ in covered }.compactMap(\.stale?.problem)
  }

  @Test func `a known failure is excused until it expires or is mended`() throws {
    let known = try known(Self.entry)
    var results = [result("/conv2d/nan1", .fail), result("/conv2d/other", .fail)]
    #expect(problems(known, &results).isEmpty)
    #expect(results[0].knownFailure == "flushes denormals")
    #expect(!results[0].counts(strict: true))
    #expect(results[1].counts(strict: false))

    var late = [result("/conv2d/nan1", .fail)]
    #expect(problems(known, &late, today: "2027-02-01").first?.contains("expired") == true)
    #expect(late[0].counts(strict: false))

    var mended = [result("/conv2d/nan1", .pass)]
    #expect(problems(known, &mended).first?.contains("fails any more") == true)
    var absent = [result("/conv2d/other", .pass)]
    #expect(problems(known, &absent, covered: 0).first?.contains("matches no case") == true)
    #expect(problems(known, &absent, covered: nil).isEmpty)
  }

  @Test func `an entry of 16 bits excuses nothing in other types`() throws {
    let known = try known(Self.entry + "\ndtype = [\"float16\", \"bfloat16\"]")
    func results(_ statuses: [(DType, VerificationStatus)]) -> [CaseResult] {
      statuses.map { dtype, status in
        var found = result("/conv2d/nan1", status)
        found.dtype = dtype.rawValue
        return found
      }
    }
    var mixed = results([(.float32, .fail), (.float16, .fail), (.bfloat16, .pass)])
    #expect(problems(known, &mixed, covered: 2).isEmpty)
    #expect(mixed.map { $0.knownFailure == nil } == [true, false, true])
    var mended = results([(.float32, .fail), (.float16, .pass), (.bfloat16, .pass)])
    #expect(problems(known, &mended, covered: 2).first?.contains("fails any more") == true)
    var wide = results([(.float32, .pass), (.float64, .pass)])
    #expect(problems(known, &wide, covered: 2).isEmpty)
    // One without types is decided by the standard ones, whatever else was run.
    var narrow = results([(.float16, .pass), (.bfloat16, .pass)])
    #expect(problems(try self.known(Self.entry), &narrow, covered: 2).isEmpty)
  }

  @Test func `an entry of some tensors excuses no failure of others`() throws {
    let known = try known(Self.entry + "\ntensor = \"gradients/*\"")
    func failing(_ paths: String...) -> CaseResult {
      var found = result("/conv2d/nan1", .fail)
      found.tensors = paths.map { TensorResult(path: $0, shape: [1], failing: 1) }
      return found
    }
    var results = [failing("gradients/x"), failing("gradients/x", "outputs/y"), failing("outputs/y"), failing()]
    #expect(problems(known, &results, covered: 5).isEmpty)
    #expect(results.map { $0.knownFailure != nil } == [true, false, false, false])
    var others = [failing("outputs/y")]
    #expect(problems(known, &others).first?.contains("fails any more") == true)
  }

  @Test func `a part of what an entry covers decides nothing, and a case that was not run neither`() throws {
    let known = try known(Self.entry)
    var part = [result("/conv2d/nan1", .pass)]
    #expect(problems(known, &part, covered: 2).isEmpty)
    var open = [result("/conv2d/nan1", .pass), result("/conv2d/nan2", .notRun)]
    #expect(problems(known, &open, covered: 2).isEmpty)
    var elsewhere = [result("/conv2d/nan1", .pass, engine: "theirs")]
    #expect(problems(known, &elsewhere).isEmpty)
  }

  @Test(arguments: [
    "x = 1", "known_failure = 3", "[[known_failure]]\nengine = \"a\"", "not toml [",
    entry + "\ncolour = \"red\"", entry + "\ndtype = \"float16\"", entry + "\ndtype = [\"half\"]",
    entry + "\ndtype = []", entry.replacing("2027-01-31", with: "\"soon\""),
    entry.replacing("\"mine\"", with: "3"), entry.replacing("2027-01-31", with: "\"2027-99-99\""),
    entry.replacing("2027-01-31", with: "\"2027-02-29\""), entry.replacing("2027-01-31", with: "\"2100-02-29\""),
    entry.replacing("2027-01-31", with: "\"2027-04-31\""), entry.replacing("2027-01-31", with: "\"2027-00-10\""),
    entry.replacing("2027-01-31", with: "\"2027-01-00\""),
  ])
  func `malformed files are refused`(text: String) {
    #expect(throws: KnownFailures.Malformed.self) { try KnownFailures(text: text, path: "known.toml") }
  }

  // MARK: Conclusions

  private func section(
    _ results: [CaseResult], files: [FileRecord] = [], vacuity: [VacuityRecord] = [],
    stale: [StaleKnownFailure] = [], strict: Bool = false
  ) -> VerificationSection {
    VerificationSection(
      engines: [EngineRecord(name: "mine", version: "1", isBuiltIn: false)], files: files, results: results,
      vacuity: vacuity, staleKnownFailures: stale, lambda: 8, filters: [], tags: [], shard: nil, strict: strict,
      seconds: 0)
  }

  @Test func `exit codes and their precedence`() {
    let (pass, fail) = (result("/a", .pass), result("/b", .fail))
    let bad = FileRecord(path: "f.h5", errors: ["cut short"])
    #expect(section([pass]).conclusion.outcome.exitCode == 0)
    #expect(section([pass, result("/r", .refused)]).conclusion.outcome.exitCode == 0)
    #expect(section([pass, fail]).conclusion.outcome.exitCode == 1)
    #expect(section([pass, result("/e", .error)]).conclusion.outcome.exitCode == 1)
    #expect(section([pass, result("/u", .unsupported)]).conclusion.outcome.exitCode == 0)
    #expect(section([pass, result("/u", .unsupported)], strict: true).conclusion.outcome.exitCode == 1)
    #expect(section([]).conclusion.outcome.exitCode == 2)
    #expect(section([result("/u", .unsupported)]).conclusion.outcome.exitCode == 2)
    #expect(section([pass, fail], files: [bad]).conclusion.outcome.exitCode == 65)
    #expect(section([], files: [bad]).conclusion.outcome.exitCode == 65)
    let vacuous = VacuityRecord(operation: "conv2d", noticedBy: ["flipped kernel": ""])
    #expect(section([pass], vacuity: [vacuous]).conclusion.outcome.exitCode == 1)
    let stale = StaleKnownFailure(engine: "mine", caseGlob: "*", problem: "expired")
    #expect(section([pass], stale: [stale]).conclusion.outcome.exitCode == 1)
  }

  // MARK: Whole runs

  private func run(
    _ cases: [GoldenCase], engine: any Engine = ReferenceEngine(), filters: [String] = [], caseCount: Int? = nil
  ) async throws -> VerificationSection {
    let folder = try TemporaryDirectory()
    let path = folder.file("test.h5").path
    try GoldenFileWriter.write(cases, header: GoldenFileHeader(generator: "test"), to: path)
    let plan = VerificationPlan(
      engines: [engine], files: [path, folder.file("missing.h5").path], filters: filters.map { NamePattern($0) },
      vacuityOracle: ReferenceEngine())
    return await Verifier(plan: plan, reader: GoldenReader(trusted: nil, probe: nil)).run()
  }

  private func golden(_ text: String, _ name: String, fill: Fill = .exact) throws -> GoldenCase {
    var golden = try VerificationCase.random(text, fill: fill).golden
    golden.summary = GoldenCaseSummary(name: name, operation: golden.operation, fill: fill)
    return golden
  }

  @Test func `the command that repeats a case carries the limits that the run was given`() async throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("test.h5").path
    try GoldenFileWriter.write(
      [golden("relu shape2x3", "/relu/a")], header: GoldenFileHeader(generator: "test"), to: path)
    var plan = VerificationPlan(engines: [ReferenceEngine()], dtypes: [.float32], files: [path])
    plan.limitWords = ["--max-memory", "8589934592"]
    let section = await Verifier(plan: plan, reader: GoldenReader(trusted: nil, probe: nil)).run()
    #expect(section.results.map(\.status) == [.pass])
    #expect(section.results[0].reproduce.hasSuffix("--dtype float32 --max-memory 8589934592"))
  }

  @Test func `a missing file is reported and the others still run`() async throws {
    let section = try await run([golden("conv2d n1c2h5w6 k3r3s2 stride1 pad1 bias", "/conv2d/a")])
    #expect(section.conclusion.outcome == .badData)
    #expect(section.results.map(\.status) == [.pass, .pass])
    #expect(section.files.count == 2)
    #expect(section.files[1].errors.count == 1)
    #expect(section.results[0].reproduce.contains("--filter /conv2d/a --engine reference --dtype float32"))
  }

  @Test func `operations of the file's own need a tolerance`() async throws {
    var custom = GoldenCase(
      summary: GoldenCaseSummary(name: "/mine", operation: "my_norm"),
      inputs: ["x": .float32(Tensor(shape: [2], elements: [1, 2]))],
      outputs: ["y": ExpectedTensor(.float64(Tensor(shape: [2], elements: [1, 2])))])
    let copying = CopyingEngine()
    #expect(try await run([custom], engine: copying).files[0].errors.count == 1)
    custom.outputs["y"]?.tolerance = ToleranceOverride(absolute: 0.1, reason: "by definition")
    let section = try await run([custom], engine: copying)
    #expect(section.files[0].errors.isEmpty)
    #expect(section.results.map(\.status) == [.pass, .pass])
    #expect(try await run([custom]).results.map(\.status) == [.unsupported, .unsupported])
  }

  @Test func `no case is no success`() async throws {
    let section = try await run([golden("relu n1c1h2w2", "/relu/a")], filters: ["nothing"])
    #expect(section.results.isEmpty)
    #expect(section.conclusion.reasons.contains("no case was run"))
  }
}

/// Knows one operation of its own: y = x.
private struct CopyingEngine: Engine {
  let description = EngineDescription(name: "copying", version: "1", operations: ["my_norm"])
  func compute(_ exercise: Exercise) throws(EngineError) -> Answer { Answer(outputs: ["y": exercise.inputs["x"]!]) }
  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("never timed")
  }
}
