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
    #expect(section.conclusion.outcome == .holds)
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
}
