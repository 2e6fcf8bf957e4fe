import Convolution
import Engines
import Foundation
import OperatingSystem
import Problems
import Results
import RunAnalysis
import Tensors
import Verification

/// Times a plan: every contestant verified on each workload first, then all of them in interleaved blocks.
public final class BenchmarkRunner {
  /// What happens while it runs, for whoever shows progress. Never called inside a timed slice.
  public enum Event: Sendable {
    case measuringCeilings(threads: Int)
    case verifying(workload: String, engine: String)
    case block(workload: String, index: Int, count: Int)
    case measuringMemory(workload: String, engine: String)
    case finished(workload: BenchmarkWorkload)
  }

  private let plan: BenchmarkPlan
  private let suite: BenchmarkSuite
  private let engines: [any Engine]
  private let seed: UInt64
  private let onEvent: (Event) -> Void
  private let shouldStop: () -> Bool
  private var generator: SplitMix64
  private var verdicts: [VerdictKey: BenchmarkVerdict] = [:]
  private var steal = StealAccount()
  private let nulls: NullEngines
  private let memory: MemoryProbe?

  private struct VerdictKey: Hashable {
    var subject: BenchmarkSubject
    var pass: TimingRequest.TimedPass
    var threads: Int
    var engine: String

    init(_ item: BenchmarkPlan.Item, _ engine: any Engine) {
      subject = item.subject
      pass = item.pass
      threads = item.threads
      self.engine = engine.description.name
    }
  }

  /// - Parameters:
  ///   - plan: the workloads.
  ///   - suite: how they are timed.
  ///   - engines: the contestants.
  ///   - seed: of operands and of the order of slices.
  ///   - nulls: the engines that do nothing, beside which contestants are audited.
  ///   - memory: what measures the memory of whole networks after their times; `nil` where nobody asks.
  ///   - onEvent: told what happens.
  ///   - shouldStop: whether the run is to end.
  public init(
    plan: BenchmarkPlan, suite: BenchmarkSuite, engines: [any Engine], seed: UInt64, nulls: NullEngines,
    memory: MemoryProbe? = nil,
    onEvent: @escaping (Event) -> Void = { _ in }, shouldStop: @escaping () -> Bool = { false }
  ) {
    self.plan = plan
    self.suite = suite
    self.engines = engines
    self.seed = seed
    self.nulls = nulls
    self.memory = memory
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
    defer { TimedCores.release() }
    for item in plan.items where !section.workloads.contains(where: { $0.name == item.name }) {
      if shouldStop() { break }
      if !section.ceilings.contains(where: { $0.threads == item.threads }) {
        onEvent(.measuringCeilings(threads: item.threads))
        TimedCores.claim(item.threads)
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
      name: item.name, operation: type(of: item.subject.problem).operation, problem: item.subject.problem.text,
      batch: item.subject.batch,
      pass: item.pass.rawValue, layout: item.layout.rawValue, threads: item.threads, flops: item.flops,
      compulsoryBytes: item.compulsoryBytes)
    let timed = TimedWorkload(item, work, blocks: suite.blocks, using: &generator)
    let slots =
      if case .training(let network) = item.subject {
        enter(network, timed, &workload, &section)
      } else {
        enter(timed, &workload, &section)
      }
    guard let slots, time(slots, timed, &workload) else { return nil }
    workload.sets = slots.compactMap(\.contestant.sets).max()
    for slot in slots { audit(slot, timed, &workload, section) }
    for slot in slots { trace(slot, &workload) }
    section.auditSeconds =
      slots.reduce(section.auditSeconds ?? 0) { $0 + $1.contestant.auditSeconds } + nulls.takeSeconds()
    measureMemory(&workload, item, timed)
    if let stolen = steal.fraction { section.machine.stealFraction = max(stolen, section.machine.stealFraction ?? 0) }
    return workload
  }

  /// Enters the engines that are right: on the whole workload, and where it is timed.
  /// - Returns: `nil` when it was interrupted.
  private func enter(
    _ timed: TimedWorkload, _ workload: inout BenchmarkWorkload, _ section: inout BenchmarkSection
  ) -> [ContestantSlot]? {
    let (item, work) = (timed.item, timed.work)
    let verifier: Result<CaseVerifier, EngineError>
    do throws(EngineError) { verifier = .success(try work.verifier()) } catch { verifier = .failure(error) }
    verify(item, work, verifier)
    if shouldStop() { return nil }
    section.note(TimedCores.claim(item.threads))
    var slots: [ContestantSlot] = []
    for engine in engines {
      let name = engine.description.name
      let verdict = verdicts[VerdictKey(item, engine)] ?? BenchmarkVerdict(status: .failed, message: "not verified")
      var contestant = BenchmarkContestant(engine: name, verdict)
      contestant.trust = engine.description.trust
      if contestant.status == .timed, case .success(let verifier) = verifier {
        do throws(EngineError) {
          let audited = try AuditedContestant(engine, timed, cold: suite.cold)
          contestant.summary = audited.operation.summary
          contestant.workspaceBytes = audited.operation.workspaceBytes
          if let wrong = try audited.admission(verifier) {
            // It computes what is right, and is wrong where the clock runs.
            contestant.take(BenchmarkVerdict(wrong))
            contestant.take(AuditFinding(.outputs, .violated, evidence: "of the first timed run, \(wrong.message)"))
          } else {
            slots.append(ContestantSlot(index: workload.contestants.count, audited))
          }
        } catch { contestant.record(error) }
      }
      workload.contestants.append(contestant)
    }
    return slots
  }

  /// Enters the engines whose first block of training steps is right.
  /// - Returns: `nil` when it was interrupted.
  private func enter(
    _ network: TrainedNetwork, _ timed: TimedWorkload, _ workload: inout BenchmarkWorkload,
    _ section: inout BenchmarkSection
  ) -> [ContestantSlot]? {
    let rounds = TrainingRounds(timed, network, blocks: suite.blocks, using: &generator)
    var slots: [ContestantSlot] = []
    TimedCores.release()
    for engine in engines {
      if shouldStop() { return nil }
      onEvent(.verifying(workload: workload.name, engine: engine.description.name))
      var contestant = BenchmarkContestant(
        engine: engine.description.name, BenchmarkVerdict(status: .timed, message: ""))
      contestant.trust = engine.description.trust
      do throws(EngineError) {
        let trained = try TrainingContestant(engine, rounds, cold: suite.cold)
        let verdict = BenchmarkVerdict(try trained.admission())
        contestant.take(verdict)
        contestant.summary = trained.summary
        contestant.workspaceBytes = trained.workspaceBytes
        if verdict.status == .timed { slots.append(ContestantSlot(index: workload.contestants.count, trained)) }
      } catch { contestant.record(error) }
      workload.contestants.append(contestant)
    }
    do throws(EngineError) {
      // Two contestants take turns as ABBA.
      if !slots.isEmpty { try rounds.expectBlocks(turns: slots.count == 2 ? 2 : 1, shouldStop: shouldStop) }
    } catch {
      for slot in slots { workload.contestants[slot.index].record(error) }
    }
    section.note(TimedCores.claim(timed.item.threads))
    return shouldStop() ? nil : slots
  }

  /// Every contestant computes the workload with the threads that are timed, before any of them is.
  private func verify(
    _ item: BenchmarkPlan.Item, _ work: WorkloadExercise, _ verifier: Result<CaseVerifier, EngineError>
  ) {
    let missing = engines.filter { verdicts[VerdictKey(item, $0)] == nil }
    guard !missing.isEmpty else { return }
    TimedCores.release()
    for engine in missing {
      let verdict: BenchmarkVerdict
      switch verifier {
      case .failure(let error): verdict = BenchmarkVerdict(status: .failed, message: "no reference result: \(error)")
      case .success(let verifier):
        onEvent(.verifying(workload: item.name, engine: engine.description.name))
        verdict =
          shouldStop()
          ? BenchmarkVerdict(status: .failed, message: "interrupted")
          : BenchmarkVerdict(verifier.verify(work.asked(engine), dtype: item.dtype, threads: [item.threads]))
      }
      verdicts[VerdictKey(item, engine)] = verdict
    }
  }

  /// - Returns: false when it was interrupted before the last block.
  private func time(
    _ slots: [ContestantSlot], _ timed: TimedWorkload, _ workload: inout BenchmarkWorkload
  ) -> Bool {
    let fastest = slots.map(\.contestant.estimate).min() ?? 1
    for slot in slots {
      do throws(EngineError) {
        try slot.contestant.planSlices(fastest: fastest, slice: suite.sliceMilliseconds * 1e6)
      } catch { workload.contestants[slot.index].record(error) }
    }
    let processes = engines.compactMap { $0 as? ProcessEngine }
    for process in processes + nulls.running { process.suspend() }
    var waiting = WaitingShares()
    var round = 0
    steal.begin()
    defer { steal.end() }
    for block in 0..<suite.blocks {
      onEvent(.block(workload: workload.name, index: block, count: suite.blocks))
      for slot in slots { _ = slot.contestant.takeThreadTimes() }
      for (turn, order) in orders(of: slots.count).enumerated() {
        // Where a contestant has two turns in a block, the second one brings fresh operands, too.
        guard takeTurn(of: order.map { slots[$0] }, round: round + turn, block: block, &workload) else { return false }
      }
      round += 2
      waiting.add(slots.map { $0.contestant.takeThreadTimes() })
    }
    for (place, slot) in slots.enumerated() {
      workload.contestants[slot.index].waitingFraction = waiting.fraction(of: place)
    }
    let crowded = waiting.crowded(processes: slots.map { engines[$0.index] is ProcessEngine })
    workload.waitingAlone = crowded.map { workload.contestants[slots[$0].index].engine }
    workload.waitingFraction = waiting.lostFraction
    return true
  }

  /// One turn of each of these, their slices in parts that alternate.
  /// - Returns: false when it was interrupted.
  private func takeTurn(
    of slots: [ContestantSlot], round: Int, block: Int, _ workload: inout BenchmarkWorkload
  ) -> Bool {
    let slots = slots.filter { workload.contestants[$0.index].status == .timed }
    // Nobody's parts lie between those of one alone.
    let parts = slots.map { slots.count > 1 ? $0.contestant.parts : 1 }
    var turns: [Int: any ContestantTurn] = [:]
    func attempt(_ slot: ContestantSlot, _ step: () throws(EngineError) -> Void) {
      do throws(EngineError) { try step() } catch {
        turns[slot.index] = nil
        workload.contestants[slot.index].samples = []
        workload.contestants[slot.index].record(error)
      }
    }
    for (slot, parts) in zip(slots, parts) {
      if shouldStop() { return false }
      attempt(slot) { () throws(EngineError) in
        turns[slot.index] = try slot.contestant.begin(round: round, parts: parts)
      }
    }
    for place in PartOrder.places(parts) {
      if shouldStop() { return false }
      guard let turn = turns[slots[place].index] else { continue }
      attempt(slots[place]) { () throws(EngineError) in try turn.visit() }
    }
    for slot in slots {
      guard let turn = turns[slot.index] else { continue }
      attempt(slot) { () throws(EngineError) in
        let found = try turn.end()
        workload.contestants[slot.index].add(found.durations, block: block)
        if let problem = found.problem {
          workload.contestants[slot.index].take(AuditFinding(.outputs, .violated, evidence: problem))
        }
      }
    }
    return true
  }

  /// Holds what a contestant's requests took against the rules.
  private func audit(
    _ slot: ContestantSlot, _ timed: TimedWorkload, _ workload: inout BenchmarkWorkload, _ section: BenchmarkSection
  ) {
    let contestant = slot.contestant
    guard workload.contestants[slot.index].status == .timed, !contestant.isClaimed else { return }
    let blocks = workload.contestants[slot.index].samples.map(\.median)
    let judge = AuditJudge(
      threads: timed.item.threads,
      fetch: timed.fetchNanoseconds,
      costs: nulls.costs(beside: contestant.engine, on: timed),
      impossible: contestant.engine.description.device == "cpu" ? Self.impossible(workload, section) : nil)
    let verified = contestant.ledger.lookedAt
    workload.contestants[slot.index].take(
      AuditFinding(.outputs, .holds, evidence: "what was timed was right in each of \(verified) collected sets"))
    for engine in engines { (engine as? ProcessEngine)?.suspend() }
    for null in nulls.running { null.suspend() }
    do throws(EngineError) {
      // Blocks have two rounds at most.
      let findings = try contestant.findings(
        judge, medianNanoseconds: OrderStatistics.median(blocks) ?? 0, confirmingFrom: 2 * suite.blocks)
      for finding in findings { workload.contestants[slot.index].take(finding) }
    } catch { workload.contestants[slot.index].record(error) }
  }

  /// Where the time goes, of a contestant that can tell.
  private func trace(_ slot: ContestantSlot, _ workload: inout BenchmarkWorkload) {
    guard workload.contestants[slot.index].status == .timed,
      let operation = slot.contestant.traced
    else { return }
    do throws(EngineError) {
      // Every contestant has visited its first set.
      workload.contestants[slot.index].layers = try LayerTrace.layers(of: operation, set: 0)
    } catch { workload.contestants[slot.index].record(error) }
  }

  /// Of a whole network's contestants that have times, in fresh processes, while nobody is timed.
  private func measureMemory(_ workload: inout BenchmarkWorkload, _ item: BenchmarkPlan.Item, _ timed: TimedWorkload) {
    guard let memory, item.subject.isWholeNetwork else { return }
    for index in workload.contestants.indices where workload.contestants[index].status == .timed && !shouldStop() {
      onEvent(.measuringMemory(workload: workload.name, engine: workload.contestants[index].engine))
      workload.contestants[index].measureMemory(
        with: memory, of: engines[index], on: timed.work.exercise, timed.request)
    }
  }

  /// Half of the least time of any algorithm; `nil` in a debug build, whose peak means nothing.
  private static func impossible(_ workload: BenchmarkWorkload, _ section: BenchmarkSection) -> Double? {
    #if DEBUG
      nil
    #else
      ConvolutionFloor.impossibleNanoseconds(workload, in: section)
    #endif
  }

  /// The turns of a block: two contestants have two each, as ABBA or BAAB by turns of a coin; more of them one, shuffled.
  private func orders(of count: Int) -> [[Int]] {
    if count == 2 { return Bool.random(using: &generator) ? [[0, 1], [1, 0]] : [[1, 0], [0, 1]] }
    return [(0..<count).shuffled(using: &generator)]
  }
}

/// A contestant that is ready, and its place in the workload's record.
private struct ContestantSlot {
  let index: Int
  let contestant: any Contestant

  init(index: Int, _ contestant: any Contestant) {
    self.index = index
    self.contestant = contestant
  }
}
