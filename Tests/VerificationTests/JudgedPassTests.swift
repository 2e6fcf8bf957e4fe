import Engines
import GoldenFiles
import Problems
import Results
import RunAnalysis
import Tensors
import TestSupport
import Testing
import Verification

/// What a run leaves out: passes, cases by their names, cases that must be refused. It is counted, and passes nothing.
@Suite struct JudgedPassTests {
  /// A file of two cases with both passes, one without gradients and one that must be refused.
  private func file(_ folder: TemporaryDirectory) throws -> String {
    func golden(_ name: String, _ text: String) throws -> GoldenCase {
      var golden = try VerificationCase.random(text, fill: .exact).golden
      golden.exercise.name = name
      return golden
    }
    var forward = try golden("/relu/forward", "relu n1c2h3w3")
    _ = forward.keep([.forward])
    var refused = try golden("/linear/refuse", "linear n2c3 k4")
    refused = GoldenCase(refused.exercise, expectError: .shapeMismatch)
    refused.exercise.inputs["x"] = .float32(Tensor(shape: [2, 5], repeating: 1))
    let path = folder.file("test.h5").path
    try GoldenFileWriter.write(
      [try golden("/linear/a", "linear n2c3 k4"), try golden("/relu/b", "relu n1c2h3w3"), forward, refused],
      header: GoldenFileHeader(generator: "test"), to: path)
    return path
  }

  private func plan(_ engine: any Engine, _ path: String) -> VerificationPlan {
    VerificationPlan(engines: [engine], dtypes: [.float32], files: [path], today: "2026-01-01")
  }

  private func run(_ plan: VerificationPlan) async -> VerificationSection {
    await Verifier(plan: plan, reader: GoldenReader(trusted: nil, probe: nil)).run()
  }

  @Test(
    arguments: [
      ([.forward], 4, 0, ["outputs/y"]), ([.backwardData], 2, 2, ["gradients/x"]),
      ([.backwardWeight], 1, 3, ["gradients/bias", "gradients/weight"]),
      ([.backwardData, .backwardWeight], 2, 2, ["gradients/bias", "gradients/weight", "gradients/x"]),
    ] as [(Set<JudgedPass>, Int, Int, [String])])
  func `a pass is what is judged of each case`(
    passes: Set<JudgedPass>, judged: Int, leftOut: Int, linear: [String]
  ) async throws {
    let folder = try TemporaryDirectory()
    var plan = plan(ReferenceEngine(), try file(folder))
    plan.passes = passes
    let section = await run(plan)
    #expect(section.results.count == judged && section.leftOut?.withoutPass == leftOut)
    #expect(section.results.allSatisfy { $0.status == .pass || $0.status == .refused }, "\(section.results)")
    let result = try #require(section.results.first { $0.name == "/linear/a" })
    #expect(result.tensors.map(\.path).sorted() == linear)
    #expect(result.notAsked.map { Set($0).isDisjoint(with: linear) && $0.count + linear.count == 4 } == true)
    #expect(result.reproduce.contains("--pass \(JudgedPass.names(passes).joined(separator: ","))"))
    #expect(section.leftOutText?.contains("--pass") == true && section.conclusion.outcome == .holds)
  }

  @Test func `an engine that is wrong in the other pass passes, and in this one fails`() async throws {
    let folder = try TemporaryDirectory()
    let wrong = WrongEngine { _, answer in
      answer.gradients["x"] = answer.gradients["x"].map { $0.edited { for i in $0.indices { $0[i] += 1 } } }
    }
    var plan = plan(wrong, try file(folder))
    for (passes, outcome) in [([.forward], .holds), ([.backwardData], .fails)] as [(Set<JudgedPass>, Outcome)] {
      plan.passes = passes
      #expect(await run(plan).conclusion.outcome == outcome, "\(passes)")
    }
  }

  @Test(
    arguments: [
      [.forward], [.backwardData], [.backwardWeight], [.forward, .backwardWeight],
      [.forward, .backwardData, .backwardWeight],
    ] as [Set<JudgedPass>])
  func `what is not judged of a fresh case is not computed, and the rest is the same`(
    passes: Set<JudgedPass>
  ) async throws {
    let operations: Set = ["conv2d", "batch_norm2d", "relu", "softmax", "max_pool2d", "linear"]
    let fresh = FreshCases(count: 2, operations: operations)
    for summary in fresh.summaries {
      var (all, part) = (try fresh.golden(summary), try fresh.golden(summary, passes: passes))
      if summary.operation == "conv2d", !passes.contains(.backwardData) { #expect(part.gradients["x"] == nil) }
      if passes == [.forward] { #expect(part.gradients.isEmpty && !part.outputs.isEmpty) }
      _ = (all.keep(passes), part.keep(passes))
      #expect(all == part, "\(summary.name)")
    }
    // What was not asked for is counted as if it had been computed.
    var plan = VerificationPlan(engines: [ReferenceEngine()], dtypes: [.float32], files: [], today: "2026-01-01")
    plan.fresh = FreshCases(count: 1, operations: ["linear"])
    plan.passes = passes
    let section = await run(plan)
    let result = try #require(section.results.first)
    #expect(result.status == .pass, "\(result.message)")
    let known = (try fresh.golden(#require(fresh.summaries.first { $0.name == "fresh/linear/0" }))).expected.keys
    #expect(Set(result.tensors.map(\.path)).union(result.notAsked ?? []) == Set(known))
  }

  @Test func `cases are left out by name, and those that must be refused`() async throws {
    let folder = try TemporaryDirectory()
    // What it does not refuse would be a failure.
    let lax = WrongEngine()
    var plan = plan(lax, try file(folder))
    plan.excludes = [NamePattern("relu/*"), NamePattern("=/nothing")]
    plan.asksRefusals = false
    let verifier = Verifier(plan: plan, reader: GoldenReader(trusted: nil, probe: nil))
    #expect(verifier.selection().cases.map(\.summary.name) == ["/linear/a"])
    let section = await verifier.run()
    #expect(section.results.map(\.name) == ["/linear/a"])
    #expect(section.leftOut == LeftOutRecord(excluded: 2, refusals: 1))
    #expect(
      section.leftOutText == "left out: 2 cases (--exclude), 1 cases that must be refused (--no-refusals)")
    #expect(verifier.hints() == [try #require(PatternHint.text("=/nothing", option: "--exclude", among: ["/x"]))])
    #expect(await run(self.plan(lax, try file(folder))).leftOut == nil)
  }

  @Test func `shards leave out the same, and the whole says it once`() async throws {
    let folder = try TemporaryDirectory()
    var plan = plan(ReferenceEngine(), try file(folder))
    plan.excludes = [NamePattern("relu/forward")]
    plan.passes = [.backwardData]
    let whole = await run(plan)
    var sections: [VerificationSection] = []
    for index in 0..<2 {
      plan.shard = try Shard(index: index, count: 2)
      sections.append(await run(plan))
    }
    let parts = sections.enumerated().map { index, section in
      var run = Run(
        provenance: Provenance(
          assayVersion: "1", command: ["assay", "verify"], seed: 1, started: "2026-01-01T00:00:0\(index)Z",
          gitCommit: "a", gitDirty: false, compiler: "c", compilerFlags: "f", operatingSystem: "o", cpuModel: "x",
          coreCount: 1))
      run.verification = section
      return (path: "\(index)", run: run)
    }
    let merged = try #require(try RunMerge.merge(parts, origin: parts[0].run.provenance).verification)
    #expect(merged.leftOut == whole.leftOut && merged.leftOutText == whole.leftOutText)
    #expect(whole.leftOut?.excluded == 1 && whole.leftOut?.withoutPass == 1)
    let changes: [(inout VerificationSection) -> Void] = [
      { $0.passes = nil }, { $0.excludes = ["relu/*"] }, { $0.withoutRefusals = true },
    ]
    for change in changes {
      var other = sections[1]
      change(&other)
      #expect(other.differences(from: sections[0]).count == 1)
    }
  }

  /// Known failures of gradients, of which the forward pass alone knows nothing.
  @Test func `a pass makes no known failure stale`() async throws {
    let folder = try TemporaryDirectory()
    var plan = plan(WrongEngine(), try file(folder))
    plan.knownFailures = KnownFailures([
      .init(
        engine: "wrong", cases: "/linear/a", reason: "why", expires: "2999-01-01", dtypes: [.float32],
        tensor: "gradients/*")
    ])
    #expect(await run(plan).staleKnownFailures.count == 1)
    plan.passes = [.forward]
    #expect(await run(plan).staleKnownFailures.isEmpty)
  }

  // MARK: Engines of one pass

  @Test(arguments: [
    WrongEngine(passes: [.forward]), WrongEngine(omits: ["linear:gradients", "gradients/x"]),
  ])
  func `an engine that declares no gradients holds, under --strict as well`(engine: WrongEngine) async throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("test.h5").path
    var gradients = try VerificationCase.random("linear n2c3 k4").golden
    gradients.exercise.name = "/linear/gradients_alone"
    _ = gradients.keep([.backwardData, .backwardWeight])
    let both = try VerificationCase.random("linear n2c3 k4").golden
    try GoldenFileWriter.write([both, gradients], header: GoldenFileHeader(generator: "test"), to: path)
    var plan = plan(engine, path)
    plan.strict = true
    let section = await run(plan)
    #expect(section.results.count == 2 && Set(section.results.map(\.status)) == [.pass, .unsupported])
    #expect(section.results.allSatisfy { $0.omitted.count == 3 })
    #expect(section.conclusion.outcome == .holds, "\(section.conclusion)")
  }

  @Test func `omitted outputs and refused forward passes fail under --strict`() async throws {
    let folder = try TemporaryDirectory()
    let path = try file(folder)
    var refusing = FixedEngine(outcome: .failure(.unsupported("not this")))
    refusing.description.passes = [.forward]
    for engine in [WrongEngine(omits: ["outputs/y"]), refusing] as [any Engine] {
      var plan = plan(engine, path)
      plan.strict = true
      #expect(await run(plan).conclusion.outcome == .fails)
    }
  }
}
