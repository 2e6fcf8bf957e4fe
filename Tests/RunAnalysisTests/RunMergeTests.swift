import Results
import RunAnalysis
import Testing

/// What is one run, what is none, and what its parts amount to together, in whatever order they are named.
@Suite struct RunMergeTests {
  private static let origin = Provenance(
    assayVersion: "1", command: ["assay", "verify", "--golden", "my file.h5", "--shard", "1/3", "--out", "s1"], seed: 1,
    started: "2026-01-01T00:00:00Z", gitCommit: "a", gitDirty: false, compiler: "c", compilerFlags: "release",
    operatingSystem: "o", cpuModel: "x", coreCount: 1, instructionSet: "avx2")

  private static func shard(
    _ number: Int, of count: Int = 2, status: VerificationStatus = .pass, change: (inout Run) -> Void = { _ in }
  ) -> RunMerge.Part {
    var run = Run(provenance: origin)
    let result = CaseResult(
      file: "a.h5", name: "/\(number)", operation: "relu", fill: "exact", engine: "mine", dtype: "float32",
      status: status)
    run.verification = VerificationSection(
      engines: [EngineRecord(name: "mine", version: "1", isBuiltIn: false, command: "mine=./e")],
      files: [FileRecord(path: "a.h5", sha256: "0a", caseCount: 3)], results: [result], vacuity: [],
      staleKnownFailures: [], lambda: 8, filters: [], tags: [], shard: ShardRecord(index: number - 1, count: count),
      strict: false, dtypes: ["float32"], seconds: 1)
    change(&run)
    return ("s\(number)", run)
  }

  private static func fuzzed(_ number: Int, of count: Int = 2, failing: Int = 0, seed: UInt64 = 7) -> RunMerge.Part {
    var run = Run(provenance: origin)
    run.provenance.command = ["assay", "fuzz", "--shard", "\(number)/\(count)", "--out", "f\(number)"]
    var section = FuzzingSection(
      engines: [EngineRecord(name: "mine", version: "1", isBuiltIn: false)], seed: seed, dtypes: ["float32"])
    section.shard = ShardRecord(index: number - 1, count: count)
    var operation = FuzzedOperation(operation: "relu")
    operation.cases = 10
    operation.drawn = [FuzzedChoice(name: "W", counts: ["1": number, "prime": 0])]
    operation.pairs = ["a \(number)"]
    section.operations = [operation]
    var tally = FuzzTally(engine: "mine", operation: "relu")
    tally[.pass] = 10 - failing
    tally[.fail] = failing
    section.tallies = [tally]
    run.fuzzing = section
    return ("f\(number)", run)
  }

  private static func gradients(_ verdict: GradientVerdict, interrupted: Bool = false) -> RunMerge.Part {
    var run = Run(provenance: origin)
    run.provenance.command = ["assay", "gradcheck"]
    var record = GradientRecord(name: "a", engine: "b", dtype: "float64", seed: 1)
    record.verdict = verdict
    run.gradients = GradientSection(records: [record], seconds: 0)
    run.gradients?.interrupted = interrupted
    return ("g", run)
  }

  private static func selfTest(killed: Bool) -> RunMerge.Part {
    var run = Run(provenance: origin)
    var mutant = MutantRecord(name: "m", family: "f")
    mutant.probeKill = killed ? "p" : nil
    run.selfTest = SelfTestSection()
    run.selfTest?.mutants = [mutant]
    return ("t", run)
  }

  /// Merged in every order; all of them must amount to the same.
  private func merge(
    _ parts: [RunMerge.Part], expected: [RunMerge.Expectation] = []
  ) throws -> Run {
    var merged: [Run] = []
    for order in permutations(parts) {
      merged.append(try RunMerge.merge(order, expected: expected, origin: Self.origin))
    }
    #expect(Set(merged.map(\.conclusion)).count == 1)
    return try #require(merged.first)
  }

  private func permutations<Element>(_ all: [Element]) -> [[Element]] {
    guard all.count > 1 else { return [all] }
    return all.indices.flatMap { index in
      var rest = all
      let first = rest.remove(at: index)
      return permutations(rest).map { [first] + $0 }
    }
  }

  @Test func `whole shards are the whole, in the order of one process`() throws {
    let run = try merge([Self.shard(3, of: 3), Self.shard(1, of: 3), Self.shard(2, of: 3)])
    #expect(run.conclusion == Conclusion())
    #expect(run.verification?.results.map(\.name) == ["/1", "/2", "/3"])
    #expect(run.verification?.shard == nil && run.verification?.seconds == 3)
    #expect(run.provenance.partCommands?.count == 3)
  }

  @Test func `a failed part fails the run`() throws {
    let (good, bad) = (Self.shard(1), Self.shard(2, status: .fail))
    #expect(try merge([good, bad]).conclusion.outcome == .fails)
    #expect(try merge([good, Self.shard(2), Self.gradients(.fail)]).conclusion.outcome == .fails)
    #expect(try merge([Self.gradients(.pass), Self.selfTest(killed: false)]).conclusion.outcome == .fails)
    #expect(try merge([Self.gradients(.inconclusive), good, bad]).conclusion.outcome == .fails)
    #expect(try merge([Self.gradients(.pass), Self.selfTest(killed: true)]).conclusion.outcome == .holds)
  }

  @Test(arguments: [(covered: 2, failing: 0, stale: 1), (2, 1, 0), (3, 0, 0)])
  func `a known failure is stale by what all shards found of it`(covered: Int, failing: Int, stale: Int) throws {
    let shards = [1, 2].map { index in
      Self.shard(index) { run in
        run.verification?.knownFailures = [
          KnownFailureRecord(
            engine: "mine", caseGlob: "/*", covered: covered, found: 1, failing: index == 1 ? failing : 0)
        ]
      }
    }
    let run = try merge(shards)
    #expect(run.verification?.staleKnownFailures.count == stale)
    #expect(run.verification?.knownFailures?.map(\.found) == [2])
    #expect(run.conclusion.outcome == (stale > 0 ? .fails : .holds))
  }

  @Test func `merged results stand as a file's groups do`() throws {
    // A slash ends a group's name, whatever comes before or after it in ASCII.
    let names = ["/a/b", "/a/b/c", "/a-b", "/é"]
    let shards = [1, 2].map { index in
      Self.shard(index) { run in
        let mine = names.enumerated().filter { $0.offset % 2 == index % 2 }.map(\.element)
        run.verification?.results = mine.reversed().map { name in
          CaseResult(
            file: "a.h5", name: name, operation: "relu", fill: "exact", engine: "mine", dtype: "float32", status: .pass)
        }
      }
    }
    #expect(try merge(shards).verification?.results.map(\.name) == names)
  }

  @Test(arguments: [1, 2])
  func `an interruption survives, whichever shard it was`(_ number: Int) throws {
    let shards = [1, 2].map { index in Self.shard(index) { $0.verification?.interrupted = index == number } }
    let run = try merge(shards)
    #expect(run.conclusion.outcome == .inconclusive)
    #expect(run.verification?.interrupted == true)
    #expect(run.verification?.holes?.map(\.reason) == ["s\(number) was interrupted"])
    #expect(try merge([Self.gradients(.pass, interrupted: true), Self.selfTest(killed: true)]).holes?.count == 1)
  }

  @Test func `a missing shard is a hole, with the command that fills it`() throws {
    let run = try merge([Self.shard(1, of: 3), Self.shard(3, of: 3)])
    #expect(run.conclusion.outcome == .inconclusive)
    let hole = try #require(run.verification?.holes?.first)
    #expect(hole.reason == "shard 2 of 3 is missing")
    #expect(hole.command == "assay verify --golden 'my file.h5' --shard 2/3 --out shard-2-of-3")
    #expect(try merge([Self.shard(1, of: 2, status: .fail)]).conclusion.outcome == .fails)
  }

  @Test func `shards of random problems are added up, and a missing one is a hole`() throws {
    let whole = try merge([Self.fuzzed(1), Self.fuzzed(2, failing: 3)])
    let section = try #require(whole.fuzzing)
    #expect(section.caseCount == 20 && section.count(.fail) == 3 && section.count(.pass) == 17)
    #expect(section.operations.count == 1 && section.operations[0].drawn[0].counts == ["1": 3, "prime": 0])
    #expect(section.operations[0].pairs == ["a 1", "a 2"] && section.shard == nil)
    #expect(whole.conclusion.outcome == .fails && whole.holes == nil)
    let part = try merge([Self.fuzzed(1)])
    #expect(part.conclusion.outcome == .inconclusive)
    #expect(part.holes?.first?.command == "assay fuzz --shard 2/2 --out shard-2-of-2")
    #expect(throws: RunMerge.Refusal.self) { try merge([Self.fuzzed(1), Self.fuzzed(1)]) }
    #expect(throws: RunMerge.Refusal.self) { try merge([Self.fuzzed(1), Self.fuzzed(2, seed: 8)]) }
    #expect(section.mergedShards == 2 && part.fuzzing?.mergedShards == 2)
    var others = Self.fuzzed(2)
    others.run.fuzzing?.turns = ["relu", "add"]
    var one = Self.fuzzed(1)
    one.run.fuzzing?.turns = ["relu"]
    #expect(throws: RunMerge.Refusal.self) { try merge([one, others]) }
  }

  @Test func `one defect that several shards met is one failure`() throws {
    let result = CaseResult(
      file: "fuzz", name: "fuzz/relu/1", operation: "relu", fill: "exact", engine: "mine", dtype: "float32",
      status: .fail)
    func part(_ number: Int, _ problem: String) -> RunMerge.Part {
      var part = Self.fuzzed(number, failing: 3)
      var failure = FuzzFailure(
        engine: "mine", dtype: "float32", operation: "relu", name: "fuzz/relu/\(number)", drawn: "relu shape31",
        problem: problem, data: "exact@1", result: result)
      failure.count = 3
      part.run.fuzzing?.failures = [failure]
      return part
    }
    let same = try #require(try merge([part(1, "relu shape15"), part(2, "relu shape15")]).fuzzing)
    #expect(same.failures.map(\.count) == [6])
    let other = try #require(try merge([part(1, "relu shape15"), part(2, "relu shape1")]).fuzzing)
    #expect(other.failures.map(\.count) == [3, 3])
  }

  @Test func `expected parts are missed, and their commands' exit codes kept`() throws {
    let part = Self.gradients(.pass)
    #expect(try merge([part], expected: [.init(.gradients, ended: .holds)]).conclusion.outcome == .holds)
    #expect(try merge([part], expected: [.init(.selfTest)]).conclusion.outcome == .inconclusive)
    #expect(try merge([part], expected: [.init(.selfTest, ended: .holds)]).conclusion.outcome == .inconclusive)
    #expect(try merge([part], expected: [.init(.selfTest, ended: .internalError)]).conclusion.outcome == .internalError)
    // Its reports could not all be written, which its record cannot tell.
    #expect(try merge([part], expected: [.init(.gradients, ended: .notWritten)]).conclusion.outcome == .notWritten)
    #expect(try merge([], expected: [.init(.gradients, ended: .fails)]).conclusion.outcome == .fails)
    #expect(throws: RunMerge.Refusal.self) { try merge([]) }
  }

  struct Change<Record>: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var apply: @Sendable (inout Record) -> Void

    init(_ name: String, _ apply: @escaping @Sendable (inout Record) -> Void) {
      testDescription = name
      self.apply = apply
    }
  }

  static let otherRuns: [Change<Run>] = [
    Change("instruction set") { $0.provenance.instructionSet = "avx512" },
    Change("commit") { $0.provenance.gitCommit = "b" },
    Change("uncommitted changes") { $0.provenance.gitDirty = true },
    Change("compiler") { $0.provenance.compiler = "d" },
    Change("compiler flags") { $0.provenance.compilerFlags = "debug" },
    Change("Assay's version") { $0.provenance.assayVersion = "2" },
    Change("engines") { $0.verification?.engines[0].command = "mine=./other" },
    Change("version of mine") { $0.verification?.engines[0].version = "2" },
    Change("precisions") { $0.verification?.dtypes = ["float64"] },
    Change("SHA-256 of a.h5") { $0.verification?.files[0].sha256 = "0b" },
    Change("golden files") { $0.verification?.files[0].path = "b.h5" },
    Change("--strict") { $0.verification?.strict = true },
    Change("--filter") { $0.verification?.filters = ["x"] },
    Change("--tag") { $0.verification?.tags = ["smoke"] },
    Change("known failures") { $0.verification?.knownFailuresSha256 = "0c" },
    Change("number of shards") { $0.verification?.shard?.count = 3 },
  ]

  @Test(arguments: otherRuns)
  func `what differs is named, with both values`(_ change: Change<Run>) throws {
    let name = change.testDescription
    let other = Self.shard(2, change: change.apply)
    for parts in [[Self.shard(1), other], [other, Self.shard(1)]] {
      let refusal = #expect(throws: RunMerge.Refusal.self) { try RunMerge.merge(parts, origin: Self.origin) }
      let lines = refusal?.description.split(separator: "\n") ?? []
      #expect(lines.count == 2 && lines[1].contains("\(name): "), "\(lines)")
      #expect(lines.count == 2 && lines[1].contains(" in s1") && lines[1].contains(" in s2"))
    }
  }

  @Test func `what a version 1 record does not tell is not held against it`() throws {
    let old = Self.shard(2) { run in
      run.provenance.instructionSet = nil
      run.verification?.dtypes = nil
    }
    #expect(try merge([Self.shard(1), old]).conclusion.outcome == .holds)
  }

  @Test func `parts that overlap are refused`() {
    let whole = Self.shard(2) { $0.verification?.shard = nil }
    for parts in [
      [Self.shard(1), Self.shard(1)], [Self.shard(1), whole], [Self.gradients(.pass), Self.gradients(.pass)],
    ] {
      #expect(throws: RunMerge.Refusal.self) { try RunMerge.merge(parts, origin: Self.origin) }
    }
  }

  @Test func `errors of one file from several shards are one file's`() throws {
    let parts = [1, 2].map { number in
      Self.shard(number) { $0.verification?.files[0].errors = ["case \(number) is damaged"] }
    }
    let files = try merge(parts).verification?.files
    #expect(files?.map(\.errors.count) == [2])
  }

  // MARK: Workloads

  private static func benchmark(
    _ done: [String], planned: [String]?, change: (inout BenchmarkSection) -> Void = { _ in }
  )
    -> RunMerge.Part
  {
    var section = BenchmarkSection(
      suite: "s",
      options: BenchmarkOptions(
        blocks: 6, sliceMilliseconds: 1, cold: false, dtype: "float32", baseline: "direct"),
      machine: MachineRecord(
        cpuModel: "x", cores: 1, instructionSets: [], selectedInstructionSet: "avx2", l1DataBytes: nil, l2Bytes: nil,
        l3Bytes: nil, governor: nil, loadBefore: nil),
      engines: [BenchmarkEngine(name: "direct", version: "1", isBuiltIn: true, command: "direct", info: [:])])
    section.workloads = done.map { name in
      var workload = BenchmarkWorkload(
        name: name, operation: "conv2d", problem: name, batch: 1, pass: "forward", layout: "nchw", threads: 1, flops: 1,
        compulsoryBytes: 1)
      var contestant = BenchmarkContestant(engine: "direct", status: .timed)
      contestant.samples = [DurationSamples([1_000, 1_000])]
      workload.contestants = [contestant]
      return workload
    }
    section.planned = planned
    section.complete = planned.map { Set($0).isSubset(of: done) } ?? true
    change(&section)
    var run = Run(provenance: origin)
    run.provenance.command = ["assay", "bench", "--resume", "--out", done.joined()]
    run.benchmark = section
    return (done.joined(), run)
  }

  @Test func `workloads are done by their names`() throws {
    // Two of three were asked for in one part and one done; the other part has a third, and the one that is missing or not.
    let open = Self.benchmark(["a"], planned: ["a", "b"])
    let hole = try merge([open, Self.benchmark(["c"], planned: ["c"])])
    #expect(hole.benchmark?.complete == false && hole.conclusion.outcome == .inconclusive)
    #expect(hole.benchmark?.holes?.first?.command == "assay bench --out a --resume")
    let filled = try merge([open, Self.benchmark(["b", "c"], planned: ["b", "c"])])
    #expect(filled.benchmark?.complete == true && filled.conclusion.outcome == .holds)
    #expect(
      try merge([Self.benchmark(["a"], planned: ["a"]) { $0.doubts = ["noise"] }]).conclusion.outcome == .inconclusive)
  }

  @Test func `one strict part makes a strict run`() throws {
    for strict in [0, 1] {
      let parts = ["a", "b"].enumerated().map { index, name in
        Self.benchmark([name], planned: [name]) { $0.strict = index == strict ? true : nil }
      }
      #expect(try merge(parts).benchmark?.strict == true)
    }
  }

  static let otherBenchmarks: [Change<BenchmarkSection>] = [
    Change("CPU") { $0.machine.cpuModel = "y" },
    Change("suite") { $0.suite = "t" },
    Change("blocks") { $0.options.blocks = 7 },
    Change("engines") { $0.engines[0].version = "2" },
    Change("slice") { $0.options.sliceMilliseconds = 2 },
  ]

  @Test(arguments: otherBenchmarks)
  func `times that were measured otherwise are refused`(_ change: Change<BenchmarkSection>) {
    let name = change.testDescription
    let parts = [Self.benchmark(["a"], planned: nil), Self.benchmark(["b"], planned: nil, change: change.apply)]
    let refusal = #expect(throws: RunMerge.Refusal.self) { try RunMerge.merge(parts, origin: Self.origin) }
    #expect(refusal?.description.contains("\(name): ") == true)
    #expect(throws: RunMerge.Refusal.self) { try RunMerge.merge([parts[0], parts[0]], origin: Self.origin) }
  }

  // MARK: Shards of other commands

  private static func checks(_ number: Int, of count: Int = 3, verdict: GradientVerdict = .pass) -> RunMerge.Part {
    var (_, run) = gradients(verdict)
    run.provenance.command = ["assay", "gradcheck", "--shard", "\(number)/\(count)", "--out", "g\(number)", "--resume"]
    run.gradients?.shard = ShardRecord(index: number - 1, count: count)
    return ("g\(number)", run)
  }

  private static func mutants(_ number: Int, of count: Int = 2) -> RunMerge.Part {
    var (_, run) = selfTest(killed: true)
    run.provenance.command = ["assay", "selftest", "--shard", "\(number)/\(count)", "--out", "t\(number)"]
    run.selfTest?.shard = ShardRecord(index: number - 1, count: count)
    run.selfTest?.checksOfCorrectCode = number
    return ("t\(number)", run)
  }

  @Test func `shards of gradient checks and of the self-test are added up`() throws {
    let whole = try merge([Self.checks(1), Self.checks(2, verdict: .fail), Self.checks(3)])
    #expect(whole.gradients?.records.count == 3 && whole.gradients?.shard == nil && whole.holes == nil)
    #expect(whole.conclusion.outcome == .fails)
    let tested = try merge([Self.mutants(2), Self.mutants(1)])
    #expect(tested.selfTest?.mutants.count == 2 && tested.selfTest?.checksOfCorrectCode == 3)
  }

  @Test func `a missing shard is a hole with the command that fills it`() throws {
    let run = try merge([Self.checks(1), Self.checks(3)])
    #expect(run.conclusion.outcome == .inconclusive)
    #expect(run.holes?.map(\.reason) == ["shard 2 of 3 of the gradient checks is missing"])
    #expect(run.holes?.first?.command == "assay gradcheck --shard 2/3 --out shard-2-of-3")
    #expect(try merge([Self.mutants(2)]).holes?.first?.command == "assay selftest --shard 1/2 --out shard-1-of-2")
  }

  @Test func `shards that overlap or that another command made are refused`() throws {
    #expect(throws: RunMerge.Refusal.self) { try merge([Self.checks(1), Self.checks(1)]) }
    #expect(throws: RunMerge.Refusal.self) { try merge([Self.checks(1), Self.checks(2, of: 4)]) }
    #expect(throws: RunMerge.Refusal.self) { try merge([Self.checks(1), Self.gradients(.pass)]) }
    var other = Self.checks(2)
    other.run.provenance.command.append("--exhaustive")
    let error = #expect(throws: RunMerge.Refusal.self) { try merge([Self.checks(1), other]) }
    #expect(error?.description.contains("--exhaustive") == true)
  }
}
