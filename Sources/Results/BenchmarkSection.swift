/// What `assay bench` measured: the section `benchmark` of a run.
///
/// Times are nanoseconds of one iteration. Everything besides samples, contestants' results and the machine is derived from
/// them, and derived again it is the same.
public struct BenchmarkSection: Codable, Sendable {
  public var suite: String
  public var options: BenchmarkOptions
  public var machine: MachineRecord
  /// Measured peaks and bandwidths, one for each thread count that was timed.
  public var ceilings: [CeilingRecord]
  public var engines: [BenchmarkEngine]
  public var networks: [BenchmarkNetwork]
  public var workloads: [BenchmarkWorkload]
  /// For each network, batch, thread count, pass and layout: its convolutions added up.
  public var totals: [NetworkTotal]
  /// What a reader should see first, one sentence each.
  public var facts: [String]
  /// Why these times decide nothing (contention, too few blocks), one sentence each: the part is inconclusive then. Absent
  /// in runs of earlier versions.
  public var doubts: [String]?
  /// Whether workloads that an engine does not do, and times that it claims alone, leave the part undecided. Absent where they
  /// do not, as in earlier versions.
  public var strict: Bool?
  /// Names of all workloads that were asked for, over all commands that went on with this run. Absent in runs of earlier
  /// versions.
  public var planned: [String]?
  /// Which part of the workloads these are. Absent of all, and in runs of earlier versions.
  public var shard: ShardRecord?
  /// Of a merged run: parts that were interrupted.
  public var holes: [RunHole]?
  /// Whether every workload was measured; false after an interruption.
  public var complete: Bool
  public var seconds: Double
  /// Of `seconds`, what the audits took beyond timing alone. Absent where none was held.
  public var auditSeconds: Double?

  /// The engines that did none of the workloads, each with what it said of the first.
  public var timedNowhere: [(engine: String, reason: String)] {
    engines.compactMap { engine in
      let found = workloads.compactMap { $0.contestant(engine.name) }
      guard let first = found.first, found.allSatisfy({ $0.status == .unsupported }) else { return nil }
      return (engine.name, first.message)
    }
  }

  /// Whether the times decide nothing, so that no sentence compares them.
  public var isDoubtful: Bool { doubts?.isEmpty == false }

  public init(suite: String, options: BenchmarkOptions, machine: MachineRecord, engines: [BenchmarkEngine]) {
    self.suite = suite
    self.options = options
    self.machine = machine
    self.engines = engines
    ceilings = []
    networks = []
    workloads = []
    totals = []
    facts = []
    complete = false
    seconds = 0
  }
}

/// How it was measured.
public struct BenchmarkOptions: Codable, Sendable, Hashable {
  /// Interleaved blocks a workload; the unit of inference.
  public var blocks: Int
  /// The least time of one contestant's slice of a block.
  public var sliceMilliseconds: Double
  public var cold: Bool
  public var dtype: String
  /// The engine that speed-ups are relative to.
  public var baseline: String
  public var confidence: Double
  public var pinned: Bool
  /// The nice value that the contestants had while they were timed; absent where they had that of everything else.
  public var nice: Int?

  public init(
    blocks: Int, sliceMilliseconds: Double, cold: Bool, dtype: String, baseline: String, confidence: Double = 0.95,
    pinned: Bool = false
  ) {
    self.blocks = blocks
    self.sliceMilliseconds = sliceMilliseconds
    self.cold = cold
    self.dtype = dtype
    self.baseline = baseline
    self.confidence = confidence
    self.pinned = pinned
  }
}

public struct BenchmarkEngine: Codable, Sendable, Hashable {
  public var name: String
  public var version: String
  public var isBuiltIn: Bool
  /// The word that the command line takes.
  public var command: String
  public var info: [String: String]

  /// What it computes on, where that is not the CPU.
  public var device: String? { info["device"].flatMap { $0 == "cpu" ? nil : $0 } }

  public init(name: String, version: String, isBuiltIn: Bool, command: String, info: [String: String]) {
    self.name = name
    self.version = version
    self.isBuiltIn = isBuiltIn
    self.command = command
    self.info = info
  }
}

/// The distinct convolutions of one network at one batch size.
public struct BenchmarkNetwork: Codable, Sendable, Hashable {
  public struct Layer: Codable, Sendable, Hashable {
    /// Where it first occurs.
    public var name: String
    public var stage: String
    /// The problem's text form.
    public var problem: String
    public var multiplicity: Int

    public init(name: String, stage: String, problem: String, multiplicity: Int) {
      self.name = name
      self.stage = stage
      self.problem = problem
      self.multiplicity = multiplicity
    }
  }

  public var name: String
  public var batch: Int
  public var imageSize: Int
  public var layers: [Layer]

  public init(name: String, batch: Int, imageSize: Int, layers: [Layer]) {
    self.name = name
    self.batch = batch
    self.imageSize = imageSize
    self.layers = layers
  }
}

/// The convolutions of a network added up, each as often as it occurs. Not the time of a whole network, which has other
/// layers and keeps activations in cache.
public struct NetworkTotal: Codable, Sendable, Hashable {
  public struct Part: Codable, Sendable, Hashable {
    public var stage: String
    public var nanoseconds: Double

    public init(stage: String, nanoseconds: Double) {
      self.stage = stage
      self.nanoseconds = nanoseconds
    }
  }

  public struct Entry: Codable, Sendable, Hashable {
    /// An engine, or `best mix`.
    public var engine: String
    public var nanoseconds: Double
    /// Convolutions that the engine cannot do, timed with the baseline instead, of all in the network.
    public var substituted: Int
    /// Convolutions whose time is the engine's word alone, of all in the network. Absent where there are none.
    public var claimed: Int?
    public var parts: [Part]

    public init(engine: String, nanoseconds: Double, substituted: Int, parts: [Part]) {
      self.engine = engine
      self.nanoseconds = nanoseconds
      self.substituted = substituted
      self.parts = parts
    }

    /// What stands behind its time wherever that is shown.
    public var mark: String { claimed == nil ? "" : Trust.claimedMark }
  }

  public static let bestMix = "best mix"

  public var network: String
  public var batch: Int
  public var threads: Int
  public var pass: String
  public var layout: String
  public var convolutions: Int
  public var entries: [Entry]

  public init(
    network: String, batch: Int, threads: Int, pass: String, layout: String, convolutions: Int, entries: [Entry]
  ) {
    self.network = network
    self.batch = batch
    self.threads = threads
    self.pass = pass
    self.layout = layout
    self.convolutions = convolutions
    self.entries = entries
  }
}
