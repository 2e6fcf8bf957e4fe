/// What `assay duet` found: the section `duet` of a run.
public struct DuetSection: Codable, Sendable {
  public var base: String
  public var head: String
  public var policy: DuetPolicyRecord
  public var benchmarks: [DuetBenchmark]
  /// The base against itself on one benchmark, in runs of versions that had one.
  public var sentinel: DuetBenchmark?
  /// The base against itself, on each benchmark in turn.
  public var sentinels: [DuetBenchmark]?
  /// What the hypervisor took of the cores that the engines were pinned to; of all cores in earlier versions.
  public var stealFraction: Double?
  /// The nice value that the engines had; absent where they had that of everything else.
  public var nice: Int?
  /// Why ``DuetBenchmark/counts`` is not there; absent where it is, and in runs of earlier versions.
  public var uncounted: String?
  public var complete: Bool
  /// `pass`, `regression`, `improvement`, `underpowered` or `inconclusive`.
  public var verdict: String
  public var reasons: [String]
  public var seconds: Double

  public init(
    base: String, head: String, policy: DuetPolicyRecord, benchmarks: [DuetBenchmark], sentinel: DuetBenchmark? = nil,
    sentinels: [DuetBenchmark]? = nil, stealFraction: Double?, complete: Bool, verdict: String, reasons: [String],
    seconds: Double
  ) {
    self.base = base
    self.head = head
    self.policy = policy
    self.benchmarks = benchmarks
    self.sentinel = sentinel
    self.sentinels = sentinels
    self.stealFraction = stealFraction
    self.complete = complete
    self.verdict = verdict
    self.reasons = reasons
    self.seconds = seconds
  }

  /// The base against itself, of whichever version the run is.
  public var againstItself: [DuetBenchmark] { sentinels ?? [sentinel].compactMap { $0 } }
}

/// The gate's numbers, as fractions where they are rates or changes.
public struct DuetPolicyRecord: Codable, Sendable, Hashable {
  public var screenBlocks: Int
  public var screenAdvance: Int
  public var decisionBlocks: Int
  public var margin: Double
  public var falseDiscoveryRate: Double
  public var policy: Double
  public var power: Double
  public var stealLimit: Double
  /// Whether an improvement fails too. Absent in runs of earlier versions.
  public var failsOnImprovement: Bool?
  /// Up to how many times as many blocks a noisy benchmark gets. Absent in runs of earlier versions, where all have the same.
  public var mostEffort: Int?
  /// Whether a regression had to be one again in fresh blocks.
  public var confirms: Bool?

  public init(
    screenBlocks: Int, screenAdvance: Int, decisionBlocks: Int, margin: Double, falseDiscoveryRate: Double,
    policy: Double, power: Double, stealLimit: Double, failsOnImprovement: Bool? = nil, mostEffort: Int? = nil,
    confirms: Bool? = nil
  ) {
    self.screenBlocks = screenBlocks
    self.screenAdvance = screenAdvance
    self.decisionBlocks = decisionBlocks
    self.margin = margin
    self.falseDiscoveryRate = falseDiscoveryRate
    self.policy = policy
    self.power = power
    self.stealLimit = stealLimit
    self.failsOnImprovement = failsOnImprovement
    self.mostEffort = mostEffort
    self.confirms = confirms
  }
}

public struct DuetBenchmark: Codable, Sendable, Hashable {
  public var name: String
  public var verdict: String
  /// `slower` or `faster` where the screen sent it on to the decision.
  public var advanced: String?
  /// Differences ln(t_head / t_base) of the screen's blocks and of the deciding ones.
  public var screen: [Double]
  public var decision: [Double]
  /// exp(median d) − 1 over the blocks that decided, with its interval.
  public var change: Double
  public var changeLower: Double?
  public var changeUpper: Double?
  public var pValue: Double
  public var adjustedPValue: Double
  public var smallestDetectableChange: Double
  /// What follows is absent in runs of earlier versions. How many threads work at a time.
  public var threads: Int?
  /// Whose word the verdict, the change and what could be seen are: `wall` or `cpu`.
  public var clock: String?
  /// Differences of the blocks that were asked for once more.
  public var confirmation: [Double]?
  /// The same blocks by the CPU time; absent where the system does not tell.
  public var cpu: DuetCPUTime?
  /// The same blocks by what the processor counted, where the system lets it be asked: shown, and deciding nothing.
  public var counts: [DuetCount]?

  public init(
    name: String, verdict: String, advanced: String?, screen: [Double], decision: [Double], change: Double,
    changeLower: Double?, changeUpper: Double?, pValue: Double, adjustedPValue: Double,
    smallestDetectableChange: Double
  ) {
    self.name = name
    self.verdict = verdict
    self.advanced = advanced
    self.screen = screen
    self.decision = decision
    self.change = change
    self.changeLower = changeLower
    self.changeUpper = changeUpper
    self.pValue = pValue
    self.adjustedPValue = adjustedPValue
    self.smallestDetectableChange = smallestDetectableChange
  }
}

/// A benchmark's blocks by the time that its threads ran: waiting for a core is not in it.
public struct DuetCPUTime: Codable, Sendable, Hashable {
  /// Differences ln(t_head / t_base), block by block as by the wall clock.
  public var screen: [Double]
  public var decision: [Double]
  public var confirmation: [Double]?
  /// exp(median d) − 1.
  public var change: Double
  public var smallestDetectableChange: Double

  public init(
    screen: [Double], decision: [Double], confirmation: [Double]?, change: Double, smallestDetectableChange: Double
  ) {
    self.screen = screen
    self.decision = decision
    self.confirmation = confirmation
    self.change = change
    self.smallestDetectableChange = smallestDetectableChange
  }
}

/// A benchmark's blocks by something that the processor counts of the engine's threads, outside the kernel.
public struct DuetCount: Codable, Sendable, Hashable {
  /// `instructions`, those that were retired, or `cycles`.
  public var event: String
  /// Differences ln(n_head / n_base) of an iteration's count, block by block as by the wall clock.
  public var screen: [Double]
  public var decision: [Double]
  public var confirmation: [Double]?
  /// exp(median d) − 1 over the blocks that decided.
  public var change: Double

  public init(event: String, screen: [Double], decision: [Double], confirmation: [Double]?, change: Double) {
    self.event = event
    self.screen = screen
    self.decision = decision
    self.confirmation = confirmation
    self.change = change
  }
}
