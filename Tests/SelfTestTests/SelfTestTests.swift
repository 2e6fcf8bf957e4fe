import Benchmarking
import Foundation
import GoldenFiles
import Problems
import Results
import SelfTest
import TestSupport
import Testing

/// The checkers are checked, and so is what checks them.
@Suite struct SelfTestTests {
  private static let corpus: [GoldenFile] = {
    let reader = GoldenReader(trusted: nil, probe: nil)
    let names = ["linear", "blocks"]
    return names.compactMap { try? reader.open(Repository.fixtures.appending(path: "\($0).h5").path) }
  }()

  private func run(_ mutants: [Mutant], files: [GoldenFile] = corpus) throws -> SelfTestSection {
    try SelfTest(files: files, seeds: 1, threads: 2, seed: 1, mutants: mutants).run()
  }

  @Test func `every mutant is killed and correct code is left alone`() throws {
    let files = try GoldenCorpus.files(at: [Repository.fixtures.path]).map {
      try GoldenReader(trusted: nil, probe: nil).open($0)
    }
    let section = try run(SelfTest.mutants, files: files)
    #expect(section.survivors.map(\.name) == [])
    #expect(section.falseAlarms == [])
    #expect(section.mutants.count >= 80)
    #expect(section.mutants.count { $0.name.hasSuffix(", in the oracle") } >= 30)
    #expect(section.conclusion.outcome == .holds)
  }

  /// Who made a mistake is told of it, and of no other for sure, also where nobody thought of it.
  @Test func `the first line of a mutant's failures names it`() throws {
    let mutants = SelfTest.mutants.filter { $0.operations == ["linear"] }
    var test = try SelfTest(
      files: Self.corpus, seeds: 0, threads: 2, seed: 1, mutants: mutants,
      selection: [NamePattern("linear and loss/*")])
    test.explains = true
    let records = try test.run().mutants
    let (known, unknown) = (records.compactMap(\.explained), records.compactMap(\.explainedUnknown))
    #expect(known.count >= 8)
    #expect(10 * known.count { [.named, .among].contains($0.verdict) } >= 8 * known.count, "\(known)")
    #expect((known + unknown).filter { $0.verdict == .wrong } == [])
  }

  @Test func `a survivor fails the run`() throws {
    let section = try run([.harmless])
    #expect(section.survivors.map(\.name) == ["no defect"])
    #expect(section.falseAlarms == [])
    #expect(section.conclusion.outcome == .fails)
  }

  @Test func `a defect of 16 bits must be noticed in each type`() throws {
    let spoilt = Mutant.answeringInSixteenBits("spoilt in float16 alone", ["linear"]) { answer, exercise in
      if exercise.dtype == .float16 { answer.outputs.edit("y") { $0 = $0.map { $0 + 1 } } }
    }
    let section = try run([spoilt])
    #expect(section.survivors.map(\.verifyDetail) == ["not noticed in bfloat16"])
    #expect(section.falseAlarms == [])
  }

  @Test func `no mutant, no success`() {
    #expect(SelfTestSection().conclusion.outcome == .inconclusive)
  }

  @Test func `a false alarm fails the run`() {
    var section = SelfTestSection()
    var killed = MutantRecord(name: "a defect", family: "gate")
    killed.probeKill = "a probe"
    section.mutants = [killed]
    #expect(section.conclusion.outcome == .holds)
    section.falseAlarms = ["correct code failed"]
    #expect(section.conclusion.outcome == .fails)
  }

  /// Those that need no quiet machine: what they answer is wrong, or memory is not theirs. Libraries, since tests have a compiler.
  @Test func `cheats are named and their honest twins are not`() throws {
    let tricks = [
      "none", "packed", "varying", "by_text", "first_answer", "idle", "one_image", "half_precision", "late",
      "dropped_part", "mutates", "reads_past", "writes_before", "undeclared",
    ]
    let package = Repository.root.appending(path: "Benchmarks/engines/python").path(percentEncoded: false)
    let trial = CheatTrial(
      cheats: Cheat.all.filter { $0.way == .library && tricks.contains($0.trick) },
      tools: CheatTools(sources: Repository.root.appending(path: "Benchmarks/engines"), program: Self.program),
      nulls: NullEngines(program: Self.program, package: package), seed: 1, blocks: 2)
    let file = try GoldenReader(trusted: nil, probe: nil).open(Repository.fixtures.appending(path: "conv2d.h5").path)
    let section = try SelfTest(files: [file], seeds: 0, threads: 2, seed: 1, selection: [NamePattern("cheats/*")]).run(
      trial)
    #expect(section.survivors.map(\.name) == [])
    #expect(section.notRun.map(\.name) == [])
    #expect(section.falseAlarms.filter { !$0.hasPrefix("the gate") } == [])
    #expect(trial.cheats.count == tricks.count && section.mutants.count == trial.cheats.count { !$0.isHonest })
  }

  /// Those whose losses are wrong need no quiet machine either. They run in this process: the CPU time of other tests is held
  /// against them.
  @Test func `trainers that cheat are named and their honest twins are not`() throws {
    let tricks = ["none", "trains_nothing", "every_second", "first_loss"]
    let trial = CheatTrial(
      cheats: Cheat.all.filter { $0.way == .training && tricks.contains($0.trick) },
      tools: CheatTools(sources: Repository.root, program: Self.program),
      nulls: NullEngines(program: Self.program, package: ""), seed: 1, blocks: 1)
    let section = try SelfTest(files: [], seeds: 0, threads: 1, seed: 1, selection: [NamePattern("cheats/*")]).run(
      trial)
    #expect(section.survivors.map(\.name) == [])
    #expect(section.falseAlarms.filter { !$0.hasPrefix("the gate") && !$0.contains("CPU time") } == [])
    #expect(trial.cheats.count == tricks.count && section.mutants.count == trial.cheats.count { !$0.isHonest })
  }

  private static let program = Repository.command.path(percentEncoded: false)

  /// The search of the gate's probes ends early where it is told to stop, and would miss what it looks for.
  @Test func `what is told to stop judges nothing`() async throws {
    let section = try await withThrowingTaskGroup(of: SelfTestSection.self) { group in
      group.cancelAll()
      group.addTask { try SelfTest(files: [], seeds: 0, threads: 1, seed: 1, selection: [NamePattern("gate/*")]).run() }
      return try #require(try await group.next())
    }
    #expect(section.interrupted == true)
    #expect(section.falseAlarms == [])
    #expect(section.mutants.isEmpty)
  }

  @Test func `what was not run is counted apart and only strictness minds`() {
    var section = SelfTestSection()
    var (killed, missing) = (MutantRecord(name: "a", family: "gate"), MutantRecord(name: "b", family: "cheats"))
    killed.probeKill = "a probe"
    missing.notRun = "no compiler"
    section.mutants = [killed, missing]
    #expect(section.survivors.isEmpty && section.conclusion.outcome == .holds)
    #expect(section.score == "1 of 1 mutants killed, 1 not run")
    section.strict = true
    #expect(section.conclusion.outcome == .inconclusive)
  }
}
