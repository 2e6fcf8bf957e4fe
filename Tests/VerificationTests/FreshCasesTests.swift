import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors
import TestSupport
import Testing
import Verification

/// Cases that no file holds: the same from the same seed, each on its own, and of use against stored answers.
@Suite struct FreshCasesTests {
  private func golden(_ fresh: FreshCases, _ name: String) throws -> GoldenCase {
    try fresh.golden(try #require(fresh.summaries.first { $0.name == name }))
  }

  @Test func `a case depends on the seed and its name alone`() throws {
    let few = FreshCases(count: 4, seed: 9, operations: ["relu", "conv2d"])
    let many = FreshCases(count: 12, seed: 9)
    for name in ["fresh/conv2d/3", "fresh/relu/0"] {
      #expect(try golden(few, name) == golden(many, name))
      #expect(try golden(few, name) != golden(FreshCases(count: 4, seed: 10), name))
    }
    let inputs = try (0..<12).map { try golden(many, "fresh/conv2d/\($0)").inputs }
    #expect((0..<12).allSatisfy { i in (0..<i).allSatisfy { inputs[$0] != inputs[i] } })
  }

  @Test func `the names are in the order of a file, and every operation has cases or is said to have none`() {
    let names = FreshCases(count: 11).summaries.map(\.name)
    let paths = names.map { $0.split(separator: "/").map(String.init) }
    #expect(paths == paths.sorted { $0.lexicographicallyPrecedes($1) { $0.utf8.lexicographicallyPrecedes($1.utf8) } })
    let having = Set(FreshCases(count: 1).summaries.map(\.operation))
    #expect(having.union(FreshCases.withoutProblems) == OperationRegistry.names)
    #expect(having.isDisjoint(with: FreshCases.withoutProblems))
    #expect(FreshCases(count: 3).summaries.filter { $0.tags.contains("smoke") }.count == 2 * having.count)
  }

  /// Of fewer elements the tests of a whole tensor say nothing.
  @Test func `every second case is large, and the others are of any size`() throws {
    let fresh = FreshCases(count: 12, operations: ["add", "linear"])
    func largest(_ operation: String, _ index: Int) throws -> Int {
      let golden = try golden(fresh, "fresh/\(operation)/\(index)")
      return (golden.operands.all.values.map(\.shape.count) + golden.expected.values.map(\.shape.count)).max() ?? 0
    }
    for operation in ["add", "linear"] {
      #expect(try stride(from: 0, to: 12, by: 2).allSatisfy { try largest(operation, $0) >= 1_000 }, "\(operation)")
      #expect(try stride(from: 1, to: 12, by: 2).contains { try largest(operation, $0) < 1_000 }, "\(operation)")
    }
  }

  /// Every fifth of a sum of products, and of no other operation: one of each among the standard twenty.
  @Test func `patterns take turns with random values`() throws {
    let fresh = FreshCases(count: FreshCases.standardCount, operations: ["linear", "relu"])
    let odd = fresh.summaries.filter { $0.fill == .adversarial }.map(\.name)
    #expect(Set(odd) == ["fresh/linear/4", "fresh/linear/9", "fresh/linear/14", "fresh/linear/19"])
    #expect(fresh.summaries.count == 40 && fresh.summaries.allSatisfy { $0.fill != .exact })
    func values(_ name: String) throws -> [Double] {
      let golden = try golden(fresh, name)
      return try ["x", "weight"].flatMap { operand in
        try #require(golden.inputs[operand] ?? golden.parameters[operand]).doubles.elements
      }
    }
    #expect(try values("fresh/linear/4").contains(0))
    #expect(try values("fresh/linear/9").allSatisfy { $0 > 0x1p40 })
    #expect(try values("fresh/linear/14").contains { $0 > 0 && $0 < 0x1p-20 })
    #expect(try values("fresh/linear/19").contains { $0 < -0x1p10 })
    for pattern in OperandPattern.allCases { #expect(fresh.summary.contains(pattern.rawValue)) }
    #expect(fresh.summary.contains("every fifth of linear has"))
    #expect(!FreshCases(count: 4, operations: ["linear"]).summary.contains("every fifth"))
    #expect(!FreshCases(count: 20, operations: ["relu"]).summary.contains("every fifth"))
  }

  private func run(
    _ engine: any Engine, _ fresh: FreshCases?, known: KnownFailures = KnownFailures(), filters: [String] = [],
    shard: Shard? = nil, files: [String] = []
  ) async -> VerificationSection {
    var plan = VerificationPlan(
      engines: [engine], dtypes: [.float32], files: files, filters: filters.map { NamePattern($0) }, shard: shard,
      knownFailures: known, today: "2026-01-01", vacuityOracle: ReferenceEngine())
    plan.fresh = fresh
    return await Verifier(plan: plan, reader: GoldenReader(trusted: nil, probe: nil)).run()
  }

  @Test func `an engine that knows the answers of files has none here`() async throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("test.h5").path
    let golden = try VerificationCase.random("relu n2c3h4w5", fill: .exact).golden
    try GoldenFileWriter.write([golden], header: GoldenFileHeader(generator: "test"), to: path)
    let stored = golden.inputs["x"]?.converted(to: .float32)
    let knowing = WrongEngine(operations: ["relu"]) { exercise, answer in
      guard exercise.inputs["x"] != stored else { return }
      answer.outputs["y"] = answer.outputs["y"].map { $0.edited { for i in $0.indices { $0[i] = 0 } } }
    }
    let section = await run(knowing, FreshCases(count: 3, operations: ["relu"]), files: [path])
    let verdicts = Dictionary(grouping: section.results, by: \.file).mapValues { $0.map(\.status) }
    #expect(verdicts["fresh"]?.count == 3 && verdicts["fresh"]?.contains(.fail) == true)
    #expect(section.conclusion.outcome == .fails)
    let record = try #require(section.files.last)
    #expect(record.path == "fresh" && record.sha256.isEmpty && record.caseCount == 3 && record.errors.isEmpty)
    #expect(record.generator == "assay fresh, seed \(FreshCases.standardSeed), 3 an operation")
    let failing = try #require(section.results.first { $0.status == .fail && $0.file == "fresh" })
    #expect(failing.reproduce.hasPrefix("assay verify --fresh 3 --seed \(FreshCases.standardSeed)"))
    #expect(failing.reproduce.contains("--filter \(failing.name)"))
    // Fresh cases are no corpus, of which defects would have to be noticed.
    #expect(section.vacuity.map(\.operation) == ["relu"])
  }

  @Test func `filters and shards are applied, and gradients judged`() async throws {
    let fresh = FreshCases(count: 6, operations: ["linear", "relu"])
    let all = await run(ReferenceEngine(), fresh)
    #expect(all.results.count == 12 && all.results.allSatisfy { $0.status == .pass })
    #expect(all.results.allSatisfy { $0.tensors.contains { $0.path.hasPrefix("gradients/") } })
    let one = await run(ReferenceEngine(), fresh, filters: ["fresh/linear/4"])
    #expect(one.results.map(\.name) == ["fresh/linear/4"])
    #expect(await run(ReferenceEngine(), fresh, filters: ["linear/*"]).results.count == 6)
    for other in ["linear/4", "/linear/small/*", "=fresh/linear"] {
      #expect(await run(ReferenceEngine(), fresh, filters: [other]).results.isEmpty, "\(other)")
    }
    #expect(one.results.first?.tensors == all.results.first { $0.name == "fresh/linear/4" }?.tensors)
    var names: [String] = []
    for index in 0..<2 {
      names += await run(ReferenceEngine(), fresh, shard: try Shard(index: index, count: 2)).results.map(\.name)
    }
    #expect(names.sorted() == all.results.map(\.name).sorted())
  }

  @Test func `known failures may name them, and another seed makes no entry stale`() async {
    let known = KnownFailures([.init(engine: "wrong", cases: "fresh/relu/*", reason: "why", expires: "2999-01-01")])
    func fresh(_ seed: UInt64) -> FreshCases {
      FreshCases(count: FreshCases.standardCount, seed: seed, operations: ["relu"])
    }
    let broken = WrongEngine { _, answer in
      answer.outputs["y"] = answer.outputs["y"].map { $0.edited { for i in $0.indices { $0[i] = 9 } } }
    }
    let excused = await run(broken, fresh(FreshCases.standardSeed), known: known)
    #expect(excused.results.allSatisfy { $0.knownFailure == "why" } && excused.staleKnownFailures.isEmpty)
    // The entry is in both standard types, of which one was run: here as elsewhere that decides nothing.
    for seed in [FreshCases.standardSeed, 5] {
      #expect(await run(WrongEngine(), fresh(seed), known: known).staleKnownFailures.isEmpty)
    }
    let typed = KnownFailures([
      .init(engine: "wrong", cases: "fresh/relu/*", reason: "why", expires: "2999-01-01", dtypes: [.float32])
    ])
    let mended = await run(WrongEngine(), fresh(FreshCases.standardSeed), known: typed)
    #expect(mended.staleKnownFailures.map(\.problem) == ["nothing that it matches fails any more: remove it"])
    #expect(await run(WrongEngine(), fresh(5), known: typed).staleKnownFailures.isEmpty)
    #expect(await run(WrongEngine(), nil, known: typed).staleKnownFailures.isEmpty)
  }

  @Test func `runs of other seeds are not parts of one`() async {
    let first = await run(ReferenceEngine(), FreshCases(count: 1, seed: 1, operations: ["relu"]))
    let second = await run(ReferenceEngine(), FreshCases(count: 1, seed: 2, operations: ["relu"]))
    #expect(first.differences(from: first).isEmpty)
    #expect(second.differences(from: first).map(\.name) == ["cases of fresh"])
  }
}
