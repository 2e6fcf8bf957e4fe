import Convolution
import Engines
import Foundation
import Problems
import Results
import RunAnalysis
import Tensors

/// Times a plan: every contestant verified on each workload first, then all of them in interleaved blocks.
public final class BenchmarkRunner {
  /// What happens while it runs, for whoever shows progress. Never called inside a timed slice.
  public enum Event: Sendable {
    case measuringCeilings(threads: Int)
    case verifying(workload: String, engine: String)
    case block(workload: String, index: Int, count: Int)
    case finished(workload: BenchmarkWorkload)
  }

  private let plan: BenchmarkPlan
  private let suite: BenchmarkSuite
  private let engines: [any Engine]
  private let seed: UInt64
  private let onEvent: (Event) -> Void
  private let shouldStop: () -> Bool
  private var generator: SplitMix64
  private var verdicts: [VerdictKey: Verdict] = [:]
  private var steal = StealAccount()

  private struct VerdictKey: Hashable {
    var problem: Conv2dProblem
    var pass: TimingRequest.TimedPass
    var engine: String
  }

  private struct Verdict {
    var status: BenchmarkStatus
    var message: String
    var worstRatio: Double?
    var failing: [TensorResult]?
  }

  public init(
    plan: BenchmarkPlan, suite: BenchmarkSuite, engines: [any Engine], seed: UInt64,
    onEvent: @escaping (Event) -> Void = { _ in }, shouldStop: @escaping () -> Bool = { false }
  ) {
    self.plan = plan
    self.suite = suite
    self.engines = engines
    self.seed = seed
    self.onEvent = onEvent
    self.shouldStop = shouldStop
    generator = SplitMix64(seed: seed)
  }

  /// Measures what `section` does not have yet and completes it.
  /// - Parameters:
  ///   - section: what is measured already; it is completed in place.
  ///   - save: called with the section at the start, then after a workload when the last time is two seconds ago or
  ///     more, and at the end, also of an interrupted run.
  /// - Throws: whatever `save` throws, and `ConvolutionError` where the machine cannot be probed.
  public func run(_ section: inout BenchmarkSection, save: (BenchmarkSection) throws -> Void) throws {
    let started = ContinuousClock.now
    let spent = section.seconds
    section.networks += plan.networks.filter { !section.networks.contains($0) }
    section.plan(plan.items.map(\.name))
    var pace = WritePace()
    defer { Affinity.release() }
    for item in plan.items where !section.workloads.contains(where: { $0.name == item.name }) {
      if shouldStop() { break }
      if !section.ceilings.contains(where: { $0.threads == item.threads }) {
        onEvent(.measuringCeilings(threads: item.threads))
        Affinity.pin(toCores: item.threads)
        section.ceilings.append(try MachineProbe.ceilings(threads: item.threads))
      }
      guard let workload = measure(item, &section) else { break }
      section.workloads.append(workload)
      section.seconds = spent + (ContinuousClock.now - started).seconds
      section.noteCompleteness()
      onEvent(.finished(workload: workload))
      let now = ContinuousClock.now
      guard pace.isDue(at: now) else { continue }
      BenchmarkAnalysis.complete(&section)
      try save(section)
      pace.wrote(from: now, to: .now)
    }
    // A run to which nothing was added stays as it is.
    if section.seconds > spent { section.machine.loadAfter = MachineProbe.loadAverage() }
    BenchmarkAnalysis.complete(&section)
    try save(section)
  }

  /// - Returns: `nil` when it was interrupted.
  private func measure(_ item: BenchmarkPlan.Item, _ section: inout BenchmarkSection) -> BenchmarkWorkload? {
    let work = WorkloadExercise(item, seed: seed)
    var workload = BenchmarkWorkload(
      name: item.name, operation: Conv2dProblem.operation, problem: item.problem.text, batch: item.problem.batch,
      pass: item.pass.rawValue, layout: item.layout.rawValue, threads: item.threads, flops: item.flops,
      compulsoryBytes: item.compulsoryBytes)
    verify(item, work)
    if shouldStop() { return nil }
    section.options.pinned = Affinity.pin(toCores: item.threads)
    var slots: [ContestantSlot] = []
    for engine in engines {
      let name = engine.description.name
      let verdict = verdicts[VerdictKey(problem: item.problem, pass: item.pass, engine: name)]
      var contestant = BenchmarkContestant(
        engine: name, status: verdict?.status ?? .failed, message: verdict?.message ?? "not verified",
        worstRatio: verdict?.worstRatio)
      contestant.failing = verdict?.failing
      if contestant.status == .timed {
        let request = TimingRequest(pass: item.pass, layout: item.layout, threads: item.threads)
        do throws(EngineError) {
          let operation = try engine.prepare(work.exercise, for: request)
          try operation.load(work.exercise.late, set: 0)
          contestant.summary = operation.summary
          contestant.workspaceBytes = operation.workspaceBytes
          slots.append(try ContestantSlot(index: workload.contestants.count, operation, cold: suite.cold))
        } catch { contestant.record(error) }
      }
      workload.contestants.append(contestant)
    }
    guard time(&slots, &workload) else { return nil }
    if let stolen = steal.fraction { section.machine.stealFraction = max(stolen, section.machine.stealFraction ?? 0) }
    return workload
  }

  private func verify(_ item: BenchmarkPlan.Item, _ work: WorkloadExercise) {
    let missing = engines.filter {
      verdicts[VerdictKey(problem: item.problem, pass: item.pass, engine: $0.description.name)] == nil
    }
    guard !missing.isEmpty else { return }
    Affinity.release()
    let name = item.name
    let found: [Verdict]
    do throws(EngineError) {
      let verifier = try work.verifier()
      found = missing.map { engine in
        onEvent(.verifying(workload: name, engine: engine.description.name))
        if shouldStop() { return Verdict(status: .failed, message: "interrupted") }
        let result = verifier.verify(engine, dtype: item.dtype)
        let status: BenchmarkStatus =
          switch result.status {
          case .pass: .timed
          case .fail, .refused: .wrong
          case .unsupported: .unsupported
          case .error, .notRun: .failed
          }
        let failing = result.tensors.filter { !$0.passes }
        return Verdict(
          status: status, message: result.message, worstRatio: result.tensors.map(\.worstRatio).max(),
          failing: failing.isEmpty ? nil : failing)
      }
    } catch {
      found = missing.map { _ in Verdict(status: .failed, message: "no reference result: \(error)") }
    }
    for (engine, verdict) in zip(missing, found) {
      verdicts[VerdictKey(problem: item.problem, pass: item.pass, engine: engine.description.name)] = verdict
    }
  }

  /// - Returns: false when it was interrupted before the last block.
  private func time(_ slots: inout [ContestantSlot], _ workload: inout BenchmarkWorkload) -> Bool {
    let slice = suite.sliceMilliseconds * 1e6
    let fastest = slots.map(\.estimate).min() ?? 1
    for index in slots.indices { slots[index].chooseIterations(fastest: fastest, slice: slice) }
    var waiting: [Double] = []
    steal.begin()
    defer { steal.end() }
    for block in 0..<suite.blocks {
      onEvent(.block(workload: workload.name, index: block, count: suite.blocks))
      let before = CoreContention.now()
      for position in order(of: slots.count, block: block) {
        if shouldStop() { return false }
        let slot = slots[position]
        guard workload.contestants[slot.index].status == .timed else { continue }
        do throws(EngineError) {
          let samples = try slot.operation.time(
            TimedRun(sets: [0], iterations: slot.iterations, cold: suite.cold))
          workload.contestants[slot.index].add(samples, block: block)
        } catch {
          workload.contestants[slot.index].samples = []
          workload.contestants[slot.index].record(error)
        }
      }
      if let fraction = CoreContention.waitingFraction(from: before, to: .now()) { waiting.append(fraction) }
    }
    workload.waitingFraction = OrderStatistics.median(waiting)
    return true
  }

  /// Two contestants as ABBA or BAAB by turns of a coin; more of them shuffled.
  private func order(of count: Int, block: Int) -> [Int] {
    if count == 2 { return Bool.random(using: &generator) ? [0, 1, 1, 0] : [1, 0, 0, 1] }
    return (0..<count).shuffled(using: &generator)
  }
}

extension BenchmarkSection {
  /// Adds workloads to what was asked for. Where an earlier version wrote the record, what it has is what was asked.
  mutating func plan(_ names: [String]) {
    let known = planned ?? workloads.map(\.name)
    planned = known + names.filter { !known.contains($0) }
    noteCompleteness()
  }

  /// A run is complete when it has every workload that was ever asked for, by name: a count could be right with other
  /// workloads.
  mutating func noteCompleteness() {
    complete = Set(planned ?? []).isSubset(of: workloads.map(\.name))
  }
}

/// An operation that is ready, and how often one slice runs it.
struct ContestantSlot {
  let index: Int
  let operation: any PreparedOperation
  /// Nanoseconds of one iteration, from a short trial.
  let estimate: Double
  private(set) var iterations = 1

  init(index: Int, _ operation: any PreparedOperation, cold: Bool) throws(EngineError) {
    self.index = index
    self.operation = operation
    // The best of a few: the first one still finds cold caches and a sleeping core.
    estimate = Double(try operation.time(TimedRun(sets: [0], iterations: 3, cold: cold)).min() ?? 1)
  }

  /// As many iterations as make the fastest contestant's slice long enough, the same for all; but no more than a slow one
  /// does in twenty slices' time, and at least one.
  mutating func chooseIterations(fastest: Double, slice: Double) {
    let common = (slice / max(fastest, 1)).rounded(.up)
    let affordable = (20 * slice / max(estimate, 1)).rounded(.up)
    iterations = Int(max(1, min(common, affordable)))
  }
}

extension BenchmarkContestant {
  mutating func record(_ error: EngineError) {
    if case .unsupported(let reason) = error {
      (status, message) = (.unsupported, reason)
    } else {
      (status, message) = (.failed, "\(error)")
    }
  }

  /// A second slice of a block joins the first.
  mutating func add(_ durations: [UInt64], block: Int) {
    if samples.count == block { samples.append(DurationSamples([])) }
    samples[block].nanoseconds += durations
  }
}
