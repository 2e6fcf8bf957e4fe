import Results

/// A small benchmark as a runner leaves it, with nothing derived yet.
public enum SampleBenchmark {
  public static let problem = "conv2d n1c64h56w56 k64r3s3 stride1 pad1"

  /// Three engines on one convolution, whose six blocks differ by a thousandth.
  public static func section() -> BenchmarkSection {
    var section = empty(engines: ["direct", "winograd4", "peer"])
    var workload = workload()
    for (name, base) in [("direct", UInt64(2_000_000)), ("winograd4", 1_000_000), ("peer", 4_000_000)] {
      var contestant = BenchmarkContestant(engine: name, status: .timed)
      contestant.samples = (0..<6).map { DurationSamples([base + $0 * 1_000, base + $0 * 1_000, base * 9]) }
      workload.contestants.append(contestant)
    }
    workload.contestants.append(BenchmarkContestant(engine: "idle", status: .unsupported))
    section.workloads = [workload]
    return section
  }

  /// These engines on one convolution, with one duration in each block.
  public static func section(times: KeyValuePairs<String, [UInt64]>, named problem: String = problem)
    -> BenchmarkSection
  {
    var section = empty(engines: times.map(\.key))
    section.options.blocks = times.first?.value.count ?? 0
    var workload = workload(problem)
    for (name, blocks) in times {
      var contestant = BenchmarkContestant(engine: name, status: .timed)
      contestant.samples = blocks.map { DurationSamples([$0]) }
      workload.contestants.append(contestant)
    }
    section.workloads = [workload]
    section.complete = true
    return section
  }

  /// Of each kind of trust one: `direct` held by the tool, `peer` audited, `old` claimed though it would be the fastest, and
  /// `cheat` caught. Nothing is derived yet.
  public static func audited() -> BenchmarkSection {
    var section = section(times: [
      "direct": [2_000_000, 2_000_000, 2_000_000, 2_000_000, 2_000_000, 2_000_000],
      "peer": [1_000_000, 1_001_000, 1_002_000, 1_003_000, 1_004_000, 1_005_000],
      "old": [100_000, 100_000, 100_000, 100_000, 100_000, 100_000], "cheat": [],
    ])
    for (index, engine) in section.engines.enumerated() where engine.name != "direct" {
      section.engines[index].isBuiltIn = false
      section.engines[index].info = [:]
    }
    let findings = AuditRule.allCases.map { AuditFinding($0, .holds, evidence: "\($0.rawValue) holds") }
    for (index, trust) in [Trust.host, .audited, .claimed, .audited].enumerated() {
      section.workloads[0].contestants[index].trust = trust
      section.workloads[0].contestants[index].audit = AuditRecord(findings)
    }
    section.workloads[0].contestants[2].audit?.findings[1].verdict = .unresolved
    section.workloads[0].contestants[2].audit?.findings[1].evidence = "0.31 ms of noise hide 0.20 ms of work"
    section.workloads[0].contestants[3].status = .cheated
    section.workloads[0].contestants[3].message = "remembers"
    section.workloads[0].contestants[3].audit?.findings[0] = AuditFinding(
      .remembers, .violated, evidence: "first visits take 2.10 ms, second ones 0.01 ms: 210 times, at most 1.10",
      figures: ["first_nanoseconds": 2_100_000, "second_nanoseconds": 10_000])
    section.auditSeconds = 12
    section.seconds = 80
    return section
  }

  /// Two whole networks, with times, memory and, of `execution`, the steps of a run. Nothing is derived yet.
  public static func networks() -> BenchmarkSection {
    var section = empty(engines: ["execution", "peer", "other"])
    section.options.baseline = "execution"
    section.networks = []
    section.engines[2].isBuiltIn = false
    section.workloads = [(depth: 8, blocks: 1), (depth: 14, blocks: 2)].map { network in
      let problem = "resnet n1c3h32w32 archcifar_resnet\(network.depth) classes10"
      var workload = BenchmarkWorkload(
        name: "\(problem) inference nchw t1", operation: "resnet", problem: problem, batch: 1, pass: "inference",
        layout: "nchw", threads: 1, flops: 25e6, compulsoryBytes: 1e6)
      for (name, time) in [("execution", UInt64(400_000)), ("peer", 600_000), ("other", 900_000)] {
        var contestant = BenchmarkContestant(engine: name, status: .timed)
        contestant.samples = (0..<6).map { DurationSamples([time * UInt64(network.blocks) + $0 * 2_000]) }
        workload.contestants.append(contestant)
      }
      workload.contestants[0].memory = MemoryRecord(startBytes: 40 << 20, peakBytes: 100 << 20, runningBytes: 90 << 20)
      workload.contestants[1].memory = MemoryRecord(startBytes: 200 << 20, peakBytes: 300 << 20, runningBytes: nil)
      workload.contestants[2].memoryMissing = "its process ended"
      workload.contestants[0].layers = layers(blocks: network.blocks)
      return workload
    }
    return section
  }

  /// The steps of a CIFAR network with so many blocks a stage.
  private static func layers(blocks: Int) -> [LayerTime] {
    var names = ["conv1"]
    for stage in 1...3 {
      for block in 0..<blocks {
        if stage > 1, block == 0 { names.append("layer\(stage).0.downsample.0") }
        names += ["layer\(stage).\(block).conv1", "layer\(stage).\(block).conv2"]
      }
    }
    let convolutions = names.map { name in
      LayerTime(
        layer: name, problem: problem, strategy: name.hasSuffix("conv2") ? "winograd4" : "direct", nanoseconds: 3e4)
    }
    func other(_ name: String, _ kind: String) -> LayerTime {
      LayerTime(layer: name, problem: nil, strategy: kind, nanoseconds: 2e3)
    }
    return [other("images", "pack")] + convolutions + [other("avgpool", "mean")]
      + [LayerTime(layer: "fc", problem: problem, strategy: "gemm", nanoseconds: 4e3), other("logits", "unpack")]
  }

  public static func run(_ section: BenchmarkSection, started: String = "2026-01-01T00:00:00Z") -> Run {
    var run = Run(
      provenance: Provenance(
        assayVersion: "1", command: ["assay", "bench"], seed: 1, started: started, gitCommit: nil, gitDirty: nil,
        compiler: "c", compilerFlags: "f", operatingSystem: "o", cpuModel: "unknown", coreCount: 2))
    run.benchmark = section
    return run
  }

  private static func empty(engines: [String]) -> BenchmarkSection {
    let machine = MachineRecord(
      cpuModel: "test", cores: 2, instructionSets: [], selectedInstructionSet: "none", l1DataBytes: nil,
      l2Bytes: 2 << 20, l3Bytes: nil, governor: nil, loadBefore: nil)
    var section = BenchmarkSection(
      suite: "test",
      options: .init(blocks: 6, sliceMilliseconds: 20, cold: false, dtype: "float32", baseline: "direct"),
      machine: machine,
      engines: engines.map {
        BenchmarkEngine(name: $0, version: "1", isBuiltIn: $0 != "peer", command: $0, info: ["algorithm": $0])
      })
    section.ceilings = [
      CeilingRecord(
        threads: 1, peakGigaflops: 200, l2GigabytesPerSecond: 100, l3GigabytesPerSecond: nil,
        memoryGigabytesPerSecond: 10, frozenConvolutionNanoseconds: 1)
    ]
    section.networks = [
      BenchmarkNetwork(
        name: "net", batch: 1, imageSize: 56,
        layers: [.init(name: "layer1.0.conv1", stage: "layer1", problem: problem, multiplicity: 4)])
    ]
    return section
  }

  private static func workload(_ problem: String = problem) -> BenchmarkWorkload {
    BenchmarkWorkload(
      name: "\(problem) forward nchw t1", operation: "conv2d", problem: problem, batch: 1, pass: "forward",
      layout: "nchw", threads: 1, flops: 231_211_008, compulsoryBytes: 4 * (2 * 200_704 + 36_864))
  }
}
