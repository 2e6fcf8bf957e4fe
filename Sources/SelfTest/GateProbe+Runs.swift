import Foundation
import Results
import RunAnalysis

extension GateProbe {
  static let origin = Provenance(
    assayVersion: "probe", command: ["assay", "verify"], seed: 1, started: "2026-01-01T00:00:00Z", gitCommit: "probe",
    gitDirty: false, compiler: "probe", compilerFlags: "probe", operatingSystem: "probe", cpuModel: "probe",
    coreCount: 1, instructionSet: "portable")

  /// A part of a run.
  private static func part(_ path: String, _ fill: (inout Run) -> Void) -> RunMerge.Part {
    var run = Run(provenance: origin)
    fill(&run)
    return (path, run)
  }

  /// A shard in which everything passes.
  private static func shard(
    _ number: Int, of count: Int = 2, _ change: (inout VerificationSection) -> Void = { _ in }
  ) -> RunMerge.Part {
    part("shard \(number)") { run in
      var section = section([result(.pass)])
      section.shard = ShardRecord(index: number - 1, count: count)
      section.dtypes = ["float32"]
      change(&section)
      run.verification = section
    }
  }

  /// What one of two shards found of an entry of known failures that covers two results.
  private static func excusing(_ number: Int, failing: Int) -> RunMerge.Part {
    shard(number) { section in
      section.knownFailures = [
        KnownFailureRecord(engine: "candidate", caseGlob: "/probe/*", covered: 2, found: 1, failing: failing)
      ]
    }
  }

  private static func gradients(_ verdict: GradientVerdict, interrupted: Bool = false) -> RunMerge.Part {
    part("gradients") { run in
      var record = GradientRecord(name: "probe", engine: "closure", dtype: "float64", seed: 1)
      record.verdict = verdict
      run.gradients = GradientSection(records: [record], seconds: 0)
      run.gradients?.interrupted = interrupted
    }
  }

  private static var verification: RunMerge.Part { part("verify") { $0.verification = section([result(.pass)]) } }

  /// The exit code of parts together; `nil` where they must be refused.
  private static func merging(
    _ name: String, _ code: Int?, _ parts: [RunMerge.Part], expected: [RunMerge.Expectation] = []
  ) -> GateProbe {
    GateProbe(name) { gate in
      // In any order.
      [parts, parts.reversed()].allSatisfy { gate.merge($0, expected).map(gate.concludeRun) == code }
    }
  }

  private static func running(_ name: String, _ code: Int, _ fill: @escaping @Sendable (inout Run) -> Void) -> GateProbe
  {
    GateProbe(name) { gate in gate.concludeRun(part("run", fill).run) == code }
  }

  /// A record as version 1 had it, which says 0 of a failure.
  private static let versionOne = Data(
    """
    {"schema":"assay.run","schema_version":1,"outcome":"holds","provenance":{"assay_version":"probe","command":["assay"],
    "seed":1,"started":"2026-01-01T00:00:00Z","compiler":"probe","compiler_flags":"probe","operating_system":"probe",
    "cpu_model":"probe","core_count":1},"gradients":{"seconds":0,"exit_code":0,"reasons":[],"records":[{"name":"probe",
    "engine":"closure","dtype":"float64","seed":1,"verdict":"FAIL","tensors":[],"contracts":[],"seconds":0,"cost":{"forward":0,
    "backward":0,"dual":0,"torch_forward":0,"torch_backward":0}}]}}
    """.utf8)

  static let runs: [GateProbe] = [
    merging("all shards pass: 0", 0, [shard(1), shard(2)]),
    merging("one shard fails: 1", 1, [shard(1), shard(2) { $0.results = [result(.fail)] }]),
    merging("one shard was interrupted: 2", 2, [shard(1), shard(2) { $0.interrupted = true }]),
    merging("a shard is missing: 2", 2, [shard(1, of: 3), shard(3, of: 3)]),
    merging("the same shard twice: refused", nil, [shard(1), shard(1)]),
    merging(
      "shards of other engines: refused", nil,
      [shard(1), shard(2) { $0.engines = [EngineRecord(name: "other", version: "1", isBuiltIn: true)] }]),
    merging("shards in other precisions: refused", nil, [shard(1), shard(2) { $0.dtypes = ["float64"] }]),
    merging(
      "parts of other instruction sets: refused", nil,
      [verification, part("gradients") { $0.provenance.instructionSet = "avx512" }]),
    merging("gradients fail beside a verification that passes: 1", 1, [verification, gradients(.fail)]),
    merging("gradients were interrupted: 2", 2, [verification, gradients(.pass, interrupted: true)]),
    merging(
      "a known failure need not fail in every shard: 0", 0, [excusing(1, failing: 1), excusing(2, failing: 0)]),
    merging("a known failure of no shard is stale: 1", 1, [excusing(1, failing: 0), excusing(2, failing: 0)]),
    merging("an expected part is missing: 2", 2, [verification], expected: [.init(.selfTest)]),
    merging(
      "a part that crashed and left no record: 70", 70, [verification],
      expected: [.init(.selfTest, ended: .internalError)]),
    merging(
      "a part that failed beside one that decided nothing: 1", 1,
      [part("verify") { $0.verification = section([result(.fail)]) }, gradients(.inconclusive)]),
    running("nothing was done: 2", 2) { _ in },
    running("times that decide nothing: 2", 2) { run in
      var section = BenchmarkSection(
        suite: "probe",
        options: BenchmarkOptions(blocks: 6, sliceMilliseconds: 1, cold: false, dtype: "float32", baseline: "direct"),
        machine: MachineRecord(
          cpuModel: "probe", cores: 1, instructionSets: [], selectedInstructionSet: "portable", l1DataBytes: nil,
          l2Bytes: nil, l3Bytes: nil, governor: nil, loadBefore: nil), engines: [])
      var workload = BenchmarkWorkload(
        name: "probe", operation: operation, problem: "probe", batch: 1, pass: "forward", layout: "nchw", threads: 1,
        flops: 1, compulsoryBytes: 1)
      workload.contestants = [BenchmarkContestant(engine: "direct", status: .timed)]
      section.workloads = [workload]
      section.complete = true
      section.doubts = ["others took half of the machine"]
      run.benchmark = section
    },
    GateProbe("a record of version 1 is judged by its records: 1") { $0.concludeStored(versionOne) == 1 },
  ]
}
