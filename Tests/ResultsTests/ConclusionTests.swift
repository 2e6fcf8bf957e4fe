import Results
import Testing

/// The rules by which records become an outcome.
@Suite struct ConclusionTests {
  private static let origin = Provenance(
    assayVersion: "1", command: ["assay", "verify", "--filter", "conv2d/*"], seed: 1, started: "2026-01-01T00:00:00Z",
    gitCommit: "a", gitDirty: false, compiler: "c", compilerFlags: "f", operatingSystem: "o", cpuModel: "x",
    coreCount: 1)

  private static func verification(
    _ statuses: [VerificationStatus], strict: Bool = false, change: (inout VerificationSection) -> Void = { _ in }
  ) -> VerificationSection {
    let results = statuses.enumerated().map { index, status in
      CaseResult(
        file: "a.h5", name: "/\(index)", operation: "relu", fill: "exact", engine: "mine", dtype: "float32",
        status: status)
    }
    var section = VerificationSection(
      engines: [EngineRecord(name: "mine", version: "1", isBuiltIn: false)], files: [], results: results, vacuity: [],
      staleKnownFailures: [], lambda: 8, filters: [], tags: [], shard: nil, strict: strict, seconds: 0)
    change(&section)
    return section
  }

  @Test(
    arguments: [
      ([.pass, .notRun], .inconclusive), ([.notRun], .inconclusive), ([.pass, .notRun, .fail], .fails),
      ([.pass, .refused, .unsupported], .holds), ([], .inconclusive),
    ] as [([VerificationStatus], Outcome)])
  func `a case that was not run is neither a success nor a failure`(
    _ statuses: [VerificationStatus], _ outcome: Outcome
  ) {
    #expect(Self.verification(statuses).conclusion.outcome == outcome)
    // A case that was not run is not an omission of its engine, so --strict does not count it.
    if !statuses.contains(.unsupported) {
      #expect(Self.verification(statuses, strict: true).conclusion.outcome == outcome)
    }
  }

  @Test func `interruptions and holes are inconclusive at best`() {
    #expect(Self.verification([.pass]) { $0.interrupted = true }.conclusion.outcome == .inconclusive)
    #expect(Self.verification([.fail]) { $0.interrupted = true }.conclusion.outcome == .fails)
    let hole = Self.verification([.pass]) { $0.holes = [RunHole("shard 2 of 2 is missing")] }
    #expect(hole.conclusion == Conclusion(.inconclusive, reasons: ["shard 2 of 2 is missing"]))
    let crash = Self.verification([.pass]) { $0.holes = [RunHole("it crashed", outcome: .internalError)] }
    #expect(crash.conclusion.outcome == .internalError)
  }

  @Test(
    arguments: [
      ([.pass: 9, .refused: 1], false, .holds), ([.pass: 9, .fail: 1], false, .fails), ([.error: 1], true, .fails),
      ([.pass: 9], true, .inconclusive), ([:], false, .inconclusive), ([.unsupported: 3], false, .inconclusive),
      ([.notRun: 3], false, .inconclusive), ([.pass: 9, .unsupported: 9], false, .holds),
    ] as [([VerificationStatus: Int], Bool, Outcome)])
  func `random problems`(_ counts: [VerificationStatus: Int], _ interrupted: Bool, _ outcome: Outcome) {
    var section = FuzzingSection(
      engines: [EngineRecord(name: "mine", version: "1", isBuiltIn: false)], seed: 1, dtypes: ["float32"])
    var tally = FuzzTally(engine: "mine", operation: "relu")
    for (status, count) in counts { tally[status] = count }
    section.tallies = [tally]
    section.interrupted = interrupted
    #expect(section.conclusion.outcome == outcome, "\(section.conclusion)")
    section.defects = ["a case that could not be made"]
    #expect(section.conclusion.outcome == .internalError)
  }

  @Test(
    arguments: [
      ([.pass], false, .holds), ([.pass, .unsupported], false, .holds), ([.unsupported], false, .inconclusive),
      ([.pass, .inconclusive], false, .inconclusive), ([.pass, .error], false, .fails), ([.fail], true, .fails),
      ([.pass], true, .inconclusive), ([], false, .inconclusive),
    ] as [([GradientVerdict], Bool, Outcome)])
  func gradients(_ verdicts: [GradientVerdict], _ interrupted: Bool, _ outcome: Outcome) {
    let records = verdicts.map { verdict in
      var record = GradientRecord(name: "a", engine: "b", dtype: "float64", seed: 1)
      record.verdict = verdict
      return record
    }
    var section = GradientSection(records: records, seconds: 0)
    section.interrupted = interrupted
    #expect(section.conclusion.outcome == outcome)
  }

  @Test(
    arguments: [
      ("pass", true, false, .holds), ("improvement", true, false, .holds), ("improvement", true, true, .fails),
      ("regression", true, false, .fails), ("underpowered", true, false, .inconclusive),
      ("inconclusive", true, false, .inconclusive), ("pass", false, false, .inconclusive),
      ("a word of another version", true, false, .inconclusive),
    ] as [(String, Bool, Bool, Outcome)])
  func duets(_ verdict: String, _ complete: Bool, _ failsOnImprovement: Bool, _ outcome: Outcome) {
    let policy = DuetPolicyRecord(
      screenBlocks: 12, screenAdvance: 9, decisionBlocks: 40, margin: 0.02, falseDiscoveryRate: 0.05, policy: 0.05,
      power: 0.9, stealLimit: 0.02, failsOnImprovement: failsOnImprovement)
    let section = DuetSection(
      base: "a", head: "b", policy: policy, benchmarks: [], sentinel: nil, stealFraction: nil, complete: complete,
      verdict: verdict, reasons: [], seconds: 0)
    #expect(section.conclusion.outcome == outcome)
  }

  private static func benchmark(
    _ statuses: [BenchmarkStatus], trust: Trust? = nil, complete: Bool = true, doubts: [String]? = nil,
    strict: Bool? = nil
  ) -> BenchmarkSection {
    var section = BenchmarkSection(
      suite: "s",
      options: BenchmarkOptions(
        blocks: 6, sliceMilliseconds: 1, cold: false, dtype: "float32", baseline: "direct"),
      machine: MachineRecord(
        cpuModel: "x", cores: 1, instructionSets: [], selectedInstructionSet: "portable", l1DataBytes: nil,
        l2Bytes: nil, l3Bytes: nil, governor: nil, loadBefore: nil), engines: [])
    var workload = BenchmarkWorkload(
      name: "w", operation: "conv2d", problem: "p", batch: 1, pass: "forward", layout: "nchw", threads: 1, flops: 1,
      compulsoryBytes: 1)
    workload.contestants = statuses.map { status in
      var contestant = BenchmarkContestant(engine: "direct", status: status)
      contestant.trust = trust
      return contestant
    }
    section.workloads = [workload]
    section.complete = complete
    section.doubts = doubts
    section.strict = strict
    return section
  }

  @Test(
    arguments: [
      ([.timed], true, nil, .holds), ([.timed, .unsupported], true, nil, .holds),
      ([.unsupported], true, nil, .inconclusive),
      ([.timed, .wrong], true, nil, .fails), ([.failed], false, nil, .fails), ([.timed], false, nil, .inconclusive),
      ([.timed, .cheated], true, nil, .fails),
      ([.timed], true, ["too noisy"], .inconclusive), ([.timed, .wrong], true, ["too noisy"], .fails),
    ] as [([BenchmarkStatus], Bool, [String]?, Outcome)])
  func benchmarks(_ statuses: [BenchmarkStatus], _ complete: Bool, _ doubts: [String]?, _ outcome: Outcome) {
    #expect(Self.benchmark(statuses, complete: complete, doubts: doubts).conclusion.outcome == outcome)
  }

  /// Holes in a table and times that nobody checked.
  @Test(
    arguments: [
      ([.timed], .audited, .holds), ([.timed, .timed], nil, .holds), ([.timed, .unsupported], .host, .inconclusive),
      ([.timed], .claimed, .inconclusive), ([.unsupported, .wrong], .claimed, .fails),
    ] as [([BenchmarkStatus], Trust?, Outcome)])
  func `strict benchmarks`(_ statuses: [BenchmarkStatus], _ trust: Trust?, _ outcome: Outcome) {
    let conclusion = Self.benchmark(statuses, trust: trust, strict: true).conclusion
    #expect(conclusion.outcome == outcome)
    #expect(outcome == .holds || conclusion.reasons.contains { $0.hasSuffix("(--strict)") })
  }

  @Test func `the run is its worst part, and nothing at all decides nothing`() {
    var run = Run(provenance: Self.origin)
    #expect(run.conclusion.outcome == .inconclusive)
    run.verification = Self.verification([.pass])
    #expect(run.conclusion == Conclusion())
    run.gradients = GradientSection(records: [], seconds: 0)
    #expect(run.conclusion.outcome == .inconclusive)
    // 1 goes before 2, though 2 is the larger number.
    run.verification = Self.verification([.fail])
    #expect(run.conclusion.outcome == .fails)
    run.holes = [RunHole("self_test is missing", outcome: .internalError)]
    #expect(run.conclusion.outcome == .internalError)
    #expect(run.conclusion.reasons.first?.hasPrefix("Verification: 1 FAIL") == true)
  }

  @Test func `command lines are quoted, of each part its own`() {
    var origin = Self.origin
    #expect(origin.commandLine == "assay verify --filter 'conv2d/*'")
    origin.partCommands = [origin.command, ["assay", "bench", "--engine", "a=b c"]]
    #expect(origin.commandLine == "assay verify --filter 'conv2d/*'; assay bench --engine 'a=b c'")
  }

  @Test func `options are taken out of a command in both spellings`() {
    let command = ShellCommand([
      "assay", "verify", "--shard", "1/3", "--out=x", "--strict", "--filter", "a b", "--quiet",
    ])
    let changed = command.without(options: ["--shard", "--out"], flags: ["--quiet"]).adding("--shard", "2/3")
    #expect(changed.description == "assay verify --strict --filter 'a b' --shard 2/3")
  }
}
