import Results
import RunAnalysis
import Testing
import TestSupport

@Suite struct BaselineComparisonTests {
  private static let direct: [UInt64] = [1_000, 1_001, 1_002, 1_003, 1_004, 1_005]
  private static let slower: [UInt64] = direct.map { $0 * 2 }

  private func run(
    _ times: KeyValuePairs<String, [UInt64]>, change: (inout BenchmarkSection) -> Void = { _ in }
  ) -> Run {
    var section = SampleBenchmark.section(times: times)
    change(&section)
    BenchmarkAnalysis.complete(&section)
    return SampleBenchmark.run(section)
  }

  private func compare(_ old: Run, _ new: Run) throws(BaselineComparison.Refusal) -> BaselineComparison {
    try BaselineComparison(old: old, new: new, policy: 0.05)
  }

  /// What the comparison refuses with, or names as missing; nothing where everything was compared.
  private func objections(_ old: Run, _ new: Run) -> [String] {
    do throws(BaselineComparison.Refusal) { return try compare(old, new).missing } catch { return error.reasons }
  }

  @Test func aRunAgainstItselfIsTheSame() throws {
    let run = run(["direct": Self.direct, "im2col": Self.slower])
    let found = try compare(run, run)
    #expect(found.rows.map(\.verdict) == [.same, .same] && found.missing.isEmpty)
  }

  @Test func aChangeHasItsInterval() throws {
    let found = try compare(run(["direct": Self.direct]), run(["direct": Self.slower]))
    let row = try #require(found.rows.first)
    #expect(row.verdict == .slower && row.normalisedRatio == 2)
    #expect(row.interval == (2_000.0 / 1_005)...(2_010.0 / 1_000))
    let back = try compare(run(["direct": Self.slower]), run(["direct": Self.direct]))
    #expect(back.rows.first?.verdict == .faster)
  }

  /// A comparison is worth no more than the weaker of its times.
  @Test(
    arguments: [
      (nil, nil, false), (.host, .audited, false), (.claimed, .audited, true), (nil, .claimed, true),
    ] as [(Trust?, Trust?, Bool)])
  func claimedTimesAreMarked(old: Trust?, new: Trust?, isClaimed: Bool) throws {
    let runs = [old, new].map { trust in
      run(["direct": Self.direct]) { $0.workloads[0].contestants[0].trust = trust }
    }
    #expect(try compare(runs[0], runs[1]).rows.map(\.isClaimed) == [isClaimed])
  }

  /// Whatever one run has alone is named, in either direction, and once.
  @Test func whatOneRunHasAloneIsNamed() {
    let whole = run(["direct": Self.direct, "im2col": Self.slower]) { section in
      section.workloads +=
        SampleBenchmark.section(
          times: ["direct": Self.direct, "im2col": Self.slower], named: "conv2d n1c16h6w6 k16r3s3"
        ).workloads
    }
    func without(_ change: (inout BenchmarkSection) -> Void) -> Run {
      var changed = whole
      if var section = changed.benchmark {
        change(&section)
        changed.benchmark = section
      }
      return changed
    }
    let cases: [(Run, [String])] = [
      (without { $0.workloads.removeLast() }, ["conv2d n1c16h6w6 k16r3s3 forward nchw t1: in the ONE run alone"]),
      (
        without { section in
          for index in section.workloads.indices { section.workloads[index].contestants.removeLast() }
        }, ["im2col: in the ONE run alone"]
      ),
      (
        without { $0.workloads[1].contestants.removeLast() },
        ["im2col on conv2d n1c16h6w6 k16r3s3 forward nchw t1: no time in the OTHER run"]
      ),
      (
        without {
          $0.workloads[1].contestants[1].time = nil
          $0.workloads[1].contestants[1].status = .wrong
          $0.workloads[1].contestants[1].message = "outputs/y"
        }, ["im2col on conv2d n1c16h6w6 k16r3s3 forward nchw t1: no time in the OTHER run (wrong: outputs/y)"]
      ),
      (without { $0.complete = false }, ["the OTHER run was interrupted: what it did not measure is missing"]),
    ]
    for (part, expected) in cases {
      func named(_ one: String, _ other: String) -> [String] {
        expected.map { $0.replacing("ONE", with: one).replacing("OTHER", with: other) }
      }
      #expect(objections(whole, part) == named("old", "new"))
      #expect(objections(part, whole) == named("new", "old"))
    }
  }

  @Test func timesInDoubtAreNotCompared() throws {
    let quiet = run(["direct": Self.direct])
    let contended = run(["direct": Self.slower]) { $0.workloads[0].waitingFraction = 0.5 }
    let few = run(["direct": [1_000, 1_001, 1_002]])
    // As an earlier version wrote it.
    let earlier = run(["direct": Self.slower]) {
      $0.machine.warnings = ["other work was running: it took 100 % of all cores at the start"]
    }
    for doubtful in [contended, few, earlier] {
      #expect(objections(quiet, doubtful).contains { $0.contains("the new run are in doubt") })
      #expect(objections(doubtful, quiet).contains { $0.contains("the old run are in doubt") })
    }
    var withoutDoubts = earlier
    withoutDoubts.benchmark?.doubts = nil
    #expect(objections(quiet, withoutDoubts).contains { $0.contains("100 % of all cores") })
  }

  /// The machine is that of the section: a CPU that `/proc/cpuinfo` does not name is still one machine and not another.
  @Test func keyHasTheMachinesOwnName() {
    let old = run(["direct": Self.direct])
    let new = run(["direct": Self.direct]) { $0.machine.cpuModel = "another" }
    #expect(old.provenance.cpuModel == new.provenance.cpuModel)
    #expect(objections(old, new) == ["CPU model differs: test and another: the runs cannot be compared"])
  }
}
