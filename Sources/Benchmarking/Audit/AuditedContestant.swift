import Engines
import Foundation
import OperatingSystem
import Problems
import Results
import RunAnalysis
import Tensors
import Verification

/// One engine on one workload: it is loaded with fresh operands, timed on their first visits, and what that left is verified.
final class AuditedContestant: Contestant {
  let engine: any Engine
  let operation: any PreparedOperation
  private let workload: TimedWorkload
  private let meter: Meter
  private let cold: Bool
  /// Nanoseconds of one iteration, from a short trial.
  private(set) var estimate = 1.0
  private var plan = SlicePlan()
  var ledger: AuditLedger
  /// Draws the order of visits.
  private var generator: SplitMix64
  /// Of the numbers that are there before the first turn.
  private static let firstRound = 1 << 20
  /// What threads ran and waited in timed requests since this was last taken; `nil` where there was none, or the system does not
  /// tell. Between these this program and the contestant wait for each other, and nobody's time is any longer for it.
  private var threadTimes: ThreadTimes?
  /// Seconds of work that the audit alone asked for.
  private(set) var auditSeconds = 0.0

  private var process: ProcessEngine? { engine as? ProcessEngine }

  /// Prepares the engine, and runs the operation for the first time.
  /// - Parameters:
  ///   - engine: whom to time.
  ///   - workload: on what.
  ///   - cold: whether the caches are flushed before each iteration.
  ///   - ledger: what is known of this engine on this workload already, from a process that was restarted since.
  /// - Throws: `EngineError` when the engine cannot be timed.
  init(
    _ engine: any Engine, _ workload: TimedWorkload, cold: Bool = false, ledger: AuditLedger = AuditLedger()
  ) throws(EngineError) {
    self.engine = engine
    self.workload = workload
    self.cold = cold
    self.ledger = ledger
    meter = Meter(engine)
    generator = workload.visitOrder()
    operation = try engine.prepare(workload.work.exercise, for: workload.request)
    try operation.load(workload.work.exercise.late, set: 0)
    // The best of a few: the first one still finds cold caches and a sleeping core.
    let times = try operation.time(TimedRun(sets: [0], iterations: 3, cold: cold))
    estimate = Double(times.min() ?? 1)
  }

  /// What is wrong with the result of the timed path, with its threads, in its layout; `nil` when nothing is.
  func admission(_ verifier: CaseVerifier) throws(EngineError) -> CaseResult? {
    guard !isClaimed else { return nil }
    let answer = try operation.collect(set: 0)
    let result = verifier.verify(
      RecordedAnswer(engine.description, workload.work.part(of: answer)), dtype: workload.item.dtype,
      threads: [workload.item.threads],
      repeating: false)
    return result.status == .pass ? nil : result
  }

  var traced: (any TracedOperation)? { operation as? any TracedOperation }

  /// How many iterations a slice is long.
  var visits: Int { plan.visits }
  /// How many sets of operands a slice visits; of one whose word is all there is, nobody knows.
  var sets: Int? { isClaimed ? nil : plan.sets }

  /// Chooses how long slices are (``SlicePlan``), loads the sets, and visits each of them.
  func planSlices(fastest: Double, slice: Double) throws(EngineError) {
    plan = SlicePlan(
      fastest: fastest, own: estimate, slice: slice, threads: workload.item.threads, bytes: workload.sets.bytes,
      most: workload.sets.most)
    guard !isClaimed else { return }
    let started = ContinuousClock.now
    // The last one only warms up.
    for set in 0...plan.sets { try operation.load(workload.sets.operands(set: set, round: Self.firstRound), set: set) }
    auditSeconds += (ContinuousClock.now - started).seconds
    _ = try operation.time(TimedRun(visiting: Array(0..<plan.sets)))
  }

  /// A turn that is under way: what was loaded for it, and what was visited of that by now.
  private final class Turn: ContestantTurn {
    let contestant: AuditedContestant
    let round: Int
    let fresh: [Int]
    let sequence: VisitSequence
    /// In how many requests the slice is made, and how many of them there were.
    let parts: Int
    var done = 0
    var durations: [UInt64] = []
    var slice: AuditLedger.Slice?
    /// What loading took; `nil` of what is not audited.
    let loaded: Meter.Taken?
    /// Whether its second visit is for the audit alone.
    let isExtra: Bool

    init(
      _ contestant: AuditedContestant, round: Int, fresh: [Int], _ sequence: VisitSequence, parts: Int,
      loaded: Meter.Taken? = nil, isExtra: Bool = false
    ) {
      self.contestant = contestant
      self.round = round
      self.fresh = fresh
      self.sequence = sequence
      self.parts = parts
      self.loaded = loaded
      self.isExtra = isExtra
    }

    /// Takes one more request of the slice into account.
    func add(_ claimed: [UInt64], _ taken: Meter.Taken, of visited: [Int]) {
      var part = AuditLedger.Slice(
        claimed: AuditedContestant.sum(claimed[...]), wall: taken.wall, cpu: taken.cpu, waited: taken.waited,
        sets: Set(visited).count, iterations: visited.count, distinct: Set(claimed).count)
      part.counts = taken.counts
      if slice == nil { slice = part } else { slice?.append(part) }
    }

    func visit() throws(EngineError) { try contestant.visit(self) }

    func end() throws(EngineError) -> (durations: [UInt64], problem: String?) { try contestant.end(self) }
  }

  var parts: Int { plan.parts }

  /// Fresh operands and a slice, and nothing else: a turn without its audit.
  func plainTurn(round: Int) throws(EngineError) -> [UInt64] {
    let fresh = chosenSets()
    try load(fresh, round)
    let turn = Turn(self, round: round, fresh: fresh, sequence(fresh, visits: visits), parts: 1)
    try visit(turn)
    return turn.sequence.split(turn.durations).first
  }

  private func chosenSets() -> [Int] { Array((0..<plan.sets).shuffled(using: &generator).prefix(plan.fresh)) }

  private func sequence(_ fresh: [Int], visits: Int) -> VisitSequence {
    let seen = (0..<plan.sets).filter { !fresh.contains($0) }
    // The set that warms up is the only one that was seen where there is no other.
    return VisitSequence(
      fresh: fresh, seen: seen.isEmpty ? [plan.sets] : seen, visits: visits, using: &generator)
  }

  /// Loads a round's numbers into these sets.
  private func load(_ fresh: [Int], _ round: Int) throws(EngineError) {
    for (operands, set) in zip(workload.operands(sets: fresh.count, round: round), fresh) {
      try operation.load(operands, set: set)
    }
  }

  /// Begins a turn: loads fresh operands.
  func begin(round: Int, parts: Int) throws(EngineError) -> any ContestantTurn {
    guard !isClaimed else {
      let sequence = VisitSequence(fresh: [], seen: [0], visits: visits, using: &generator)
      return Turn(self, round: round, fresh: [], sequence, parts: parts)
    }
    defer { process?.suspend() }
    let started = ContinuousClock.now
    let fresh = chosenSets()
    // Drawn before the clock runs.
    _ = workload.operands(sets: fresh.count, round: round)
    let loaded = try meter.measure { () throws(EngineError) in try load(fresh, round) }.taken
    // Of an operation so slow that a slice is one visit, a second one is for the audit alone, which needs a few of them.
    let isExtra = visits == 1 && ledger.visits.count < AuditJudge.turnsToDecide
    auditSeconds += (ContinuousClock.now - started).seconds
    return Turn(
      self, round: round, fresh: fresh, sequence(fresh, visits: isExtra ? 2 : visits), parts: parts, loaded: loaded,
      isExtra: isExtra)
  }

  /// Visits the next part of a turn's sets, after runs on one that is not timed.
  private func visit(_ turn: Turn) throws(EngineError) {
    defer { process?.suspend() }
    let sets = Array(turn.sequence.part(turn.done, of: turn.parts))
    turn.done += 1
    guard !isClaimed else {
      let untimed = plan.spreads + plan.warmUps
      let run = TimedRun(sets: [0], iterations: untimed + sets.count, cold: cold)
      turn.durations += try time(run).durations.dropFirst(untimed)
      return
    }
    guard !cold else {
      // Each iteration is a request of its own, so that what flushing takes is not taken for work.
      for set in sets { turn.durations += try time(TimedRun(sets: [set], iterations: 1, cold: true)).durations }
      return
    }
    if plan.spreads > 0 {
      let visited = Array(repeating: plan.sets, count: plan.spreads)
      let (all, taken) = try meter.measure { () throws(EngineError) in try operation.time(TimedRun(visiting: visited)) }
      turn.add(all, taken, of: visited)
    }
    let visited = Array(repeating: plan.sets, count: plan.warmUps) + sets
    let (all, taken) = try time(TimedRun(visiting: visited))
    turn.add(all, taken, of: visited)
    turn.durations += all[plan.warmUps...]
  }

  /// Ends a turn: collects one of its results.
  /// - Returns: the durations of the first visits, and what is wrong with what was left.
  private func end(_ turn: Turn) throws(EngineError) -> (durations: [UInt64], problem: String?) {
    guard !isClaimed else { return (turn.durations, nil) }
    defer { process?.suspend() }
    if let slice = turn.slice { ledger.slices.append(slice) }
    let started = ContinuousClock.now
    let found = turn.sequence.split(turn.durations)
    if !found.again.isEmpty {
      ledger.visits.append(
        AuditLedger.Visits(first: Self.median(found.first), second: Self.median(found.again)))
    }
    let index = workload.chosenIndex(of: turn.fresh.count)
    let (answer, collected) = try meter.measure { () throws(EngineError) in
      try operation.collect(set: turn.fresh[index])
    }
    process?.suspend()
    var problem: String?
    if workload.looksAt(round: turn.round) {
      problem = workload.problem(with: answer, to: index, of: engine)
      ledger.lookedAt += 1
    }
    ledger.turns.append(
      AuditLedger.Turn(
        loads: turn.fresh.count, loadCPU: turn.loaded.flatMap { loaded in loaded.cpu.map { min($0, loaded.wall) } },
        collects: 1,
        // A thread that still looks for work after a run adds CPU time, and no wall time.
        collectCPU: collected.cpu.map { min($0, collected.wall) },
        claimed: Self.sum(found.first[...]) / Double(turn.fresh.count)))
    auditSeconds += (ContinuousClock.now - started).seconds
    if turn.isExtra { auditSeconds += Self.sum(found.again[...]) * 1e-9 }
    return (found.first, problem)
  }

  private func time(_ run: TimedRun) throws(EngineError) -> (durations: [UInt64], taken: Meter.Taken) {
    let found = try meter.measure { () throws(EngineError) in try operation.time(run) }
    if let times = found.taken.threadTimes(threads: workload.item.threads, claimed: Self.sum(found.result[...])) {
      threadTimes = threadTimes ?? ThreadTimes()
      threadTimes? += times
    }
    return (found.result, found.taken)
  }

  func takeThreadTimes() -> ThreadTimes? {
    defer { threadTimes = nil }
    return threadTimes
  }

  /// Not the mean: one of eight visits that another program interrupts takes as long as all the others.
  private static func median(_ durations: [UInt64]) -> Double {
    OrderStatistics.median(durations.map { Double($0) }) ?? 0
  }

  private static func sum(_ durations: ArraySlice<UInt64>) -> Double { durations.reduce(0) { $0 + Double($1) } }
}
