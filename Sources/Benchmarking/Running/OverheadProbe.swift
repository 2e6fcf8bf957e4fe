import Engines
import Foundation
import OperatingSystem
import Problems
import Results
import RunAnalysis
import Tensors

/// What measuring itself costs: the clock, the loop round it, and the protocol; and whether a kernel takes the same time in
/// this process and in another one.
public struct OverheadProbe {
  public struct Row: Sendable, Encodable {
    public var name: String
    /// Median of one iteration in this process and in the other one.
    public var insideNanoseconds: Double
    public var outsideNanoseconds: Double
    /// Time outside by time inside, median over blocks, with its interval where there are blocks enough.
    public var ratio: Double
    public var interval: MedianInterval?
    /// Reading the clock once, by one iteration.
    public var timerFraction: Double
    /// What a slice takes beyond the durations that it reports, by the whole slice: in process, and over the protocol.
    public var insideOverhead: Double
    public var outsideOverhead: Double
    /// Times under audit by times of the same rotation without one, in the other process, median over blocks with its interval;
    /// and without one by without one, which is the least that can be told.
    public var audited: Ratio
    public var unaudited: Ratio
  }

  public struct Ratio: Sendable, Encodable {
    public var median: Double
    public var interval: MedianInterval?

    init(_ ratios: [Double]) {
      median = OrderStatistics.median(ratios) ?? .nan
      interval = OrderStatistics.medianInterval(ratios)
    }
  }

  private let plan: BenchmarkPlan
  private let inside: any Engine
  private let outside: any Engine
  private let suite: BenchmarkSuite
  private let seed: UInt64

  public init(plan: BenchmarkPlan, suite: BenchmarkSuite, inside: any Engine, outside: any Engine, seed: UInt64) {
    self.plan = plan
    self.suite = suite
    self.inside = inside
    self.outside = outside
    self.seed = seed
  }

  /// Nanoseconds of one reading of the clock that durations are taken with.
  public static func clockNanoseconds() -> Double {
    let count = 100_000
    let rounds = (0..<5).map { _ in
      let start = ContinuousClock.now
      var last = start
      for _ in 0..<count { last = ContinuousClock.now }
      return (last - start).seconds * 1e9 / Double(count)
    }
    return rounds.min() ?? 0
  }

  /// - Parameter onItem: called before each workload, with how many are done.
  /// - Throws: `EngineError` of either engine.
  public func run(onItem: (_ done: Int, _ name: String) -> Void = { _, _ in }) throws(EngineError) -> [Row] {
    if let threads = plan.items.map(\.threads).max() { TimedCores.claim(threads) }
    defer { TimedCores.release() }
    let clock = Self.clockNanoseconds()
    var rows: [Row] = []
    for item in plan.items {
      onItem(rows.count, item.name)
      rows.append(try measure(item, clock))
    }
    return rows
  }

  private func measure(_ item: BenchmarkPlan.Item, _ clock: Double) throws(EngineError) -> Row {
    let exercise = WorkloadExercise(item, seed: seed).exercise
    let request = TimingRequest(pass: item.pass, layout: item.layout, threads: item.threads)
    let operations = [try inside.prepare(exercise, for: request), try outside.prepare(exercise, for: request)]
    for operation in operations { try operation.load(exercise.late, set: 0) }
    var estimates: [Double] = []
    for operation in operations {
      estimates.append(Double(try operation.time(TimedRun(sets: [0], iterations: 10)).min() ?? 1))
    }
    let count = Int((suite.sliceMilliseconds * 1e6 / max(estimates.min() ?? 1, 1)).rounded(.up))
    var medians: [[Double]] = [[], []]
    var overheads: [[Double]] = [[], []]
    for block in 0..<suite.blocks {
      var samples: [[Double]] = [[], []]
      for side in block.isMultiple(of: 2) ? [0, 1, 1, 0] : [1, 0, 0, 1] {
        let start = ContinuousClock.now
        let durations = try operations[side].time(TimedRun(sets: [0], iterations: count)).map { Double($0) }
        let wall = (ContinuousClock.now - start).seconds * 1e9
        overheads[side].append(1 - durations.reduce(0, +) / wall)
        samples[side] += durations
      }
      for side in 0...1 { medians[side].append(OrderStatistics.median(samples[side]) ?? 0) }
    }
    let ratios = zip(medians[0], medians[1]).map { $1 / $0 }
    func median(_ values: [Double]) -> Double { OrderStatistics.median(values) ?? .nan }
    let (audited, unaudited) = try auditEffect(item)
    return Row(
      name: item.name, insideNanoseconds: median(medians[0]), outsideNanoseconds: median(medians[1]),
      ratio: median(ratios), interval: OrderStatistics.medianInterval(ratios),
      timerFraction: clock / median(medians[0]), insideOverhead: median(overheads[0]),
      outsideOverhead: median(overheads[1]), audited: audited, unaudited: unaudited)
  }

  /// What the audit does to the times: of three preparations by one process, one is audited, and the others are timed on the
  /// same rotation of operands.
  private func auditEffect(_ item: BenchmarkPlan.Item) throws(EngineError) -> (audited: Ratio, unaudited: Ratio) {
    var generator = SplitMix64(seed: seed)
    let workload = TimedWorkload(
      item, WorkloadExercise(item, seed: seed), blocks: suite.blocks, using: &generator)
    var sides: [AuditedContestant] = []
    for _ in 0..<3 { sides.append(try AuditedContestant(outside, workload)) }
    for side in sides { try side.planSlices(fastest: sides[0].estimate, slice: suite.sliceMilliseconds * 1e6) }
    var medians: [[Double]] = [[], [], []]
    for block in 0..<suite.blocks {
      for side in [0, 1, 2].shuffled(using: &generator) {
        let durations =
          side == 2
          ? try sides[side].turn(round: block).durations
          : try sides[side].plainTurn(round: block)
        medians[side].append(OrderStatistics.median(durations.map { Double($0) }) ?? 0)
      }
    }
    return (
      Ratio(zip(medians[0], medians[2]).map { $1 / $0 }), Ratio(zip(medians[0], medians[1]).map { $1 / $0 })
    )
  }
}
