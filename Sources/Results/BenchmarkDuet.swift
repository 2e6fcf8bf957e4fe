/// What `assay duet` found: the section `duet` of a run.
public struct DuetSection: Codable, Sendable {
  public var base: String
  public var head: String
  public var policy: DuetPolicyRecord
  public var benchmarks: [DuetBenchmark]
  /// The base against itself.
  public var sentinel: DuetBenchmark?
  public var stealFraction: Double?
  public var complete: Bool
  /// `pass`, `regression`, `improvement`, `underpowered` or `inconclusive`.
  public var verdict: String
  public var reasons: [String]
  public var seconds: Double

  public init(
    base: String, head: String, policy: DuetPolicyRecord, benchmarks: [DuetBenchmark], sentinel: DuetBenchmark?,
    stealFraction: Double?, complete: Bool, verdict: String, reasons: [String], seconds: Double
  ) {
    self.base = base
    self.head = head
    self.policy = policy
    self.benchmarks = benchmarks
    self.sentinel = sentinel
    self.stealFraction = stealFraction
    self.complete = complete
    self.verdict = verdict
    self.reasons = reasons
    self.seconds = seconds
  }
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

  public init(
    screenBlocks: Int, screenAdvance: Int, decisionBlocks: Int, margin: Double, falseDiscoveryRate: Double,
    policy: Double, power: Double, stealLimit: Double, failsOnImprovement: Bool? = nil
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
