import Engines
import Foundation
import Problems
import Results
import Tensors
import Verification

/// One engine on one workload: it is loaded with fresh operands, timed on their first visits, and what that left is verified.
final class AuditedContestant {
  let engine: any Engine
  let operation: any PreparedOperation
  private let workload: TimedWorkload
  private let meter: Meter
  private let cold: Bool
  /// Nanoseconds of one iteration, from a short trial.
  private(set) var estimate = 1.0
  /// Nanoseconds after which threads that slept are on different cores.
  private static let spreading = 4e6
  /// How often a slice begins with a set that nothing else visits, and whose times are not taken: the first runs after other
  /// requests meet code that those have driven from the caches, and threads that sleep.
  private var warmUps = 2
  /// How many sets a slice visits.
  private(set) var visits = 1
  private(set) var ledger: AuditLedger
  /// Seconds of work that the audit alone asked for.
  private(set) var auditSeconds = 0.0

  private var process: ProcessEngine? { engine as? ProcessEngine }
  /// Whether there is nothing but the engine's word for its times.
  var isClaimed: Bool { engine.description.trust == .claimed }

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
      RecordedAnswer(engine.description, answer), dtype: workload.item.dtype, threads: [workload.item.threads],
      repeating: false)
    return result.status == .pass ? nil : result
  }

  /// Lets nothing of it run until it is asked again.
  func suspend() { process?.suspend() }

  /// As many sets as make the fastest contestant's slice long enough, the same for all; but no more than a slow one does in
  /// twenty slices' time, and at least one.
  func chooseVisits(fastest: Double, slice: Double) {
    let common = (slice / max(fastest, 1)).rounded(.up)
    let affordable = (20 * slice / max(estimate, 1)).rounded(.up)
    let wanted = Int(max(1, min(common, affordable)))
    visits = isClaimed ? wanted : min(wanted, workload.sets.most)
    // Of several threads, the system takes some milliseconds to spread them over the cores.
    let warm = workload.item.threads > 1 ? (Self.spreading / max(estimate, 1)).rounded(.up) : 2
    warmUps = Int(max(2, min(warm, Double(OperandSets.mostSets))))
  }

  /// Fresh operands and their first visits, and nothing else: a turn without its audit.
  func plainTurn(round: Int) throws(EngineError) -> [UInt64] {
    for (set, operands) in workload.operands(sets: visits + 1, round: round).enumerated() {
      try operation.load(operands, set: set)
    }
    return Array(try operation.time(TimedRun(visiting: warming(Array(0..<visits)), cold: cold))[warmUps...])
  }

  /// One turn: fresh operands, a slice that visits each set once, and what it left.
  /// - Parameters:
  ///   - round: of the operands; another for each turn.
  ///   - visitsAgain: whether a part of the sets is visited a second time, to compare.
  /// - Returns: the durations of the first visits, and what is wrong with what they left.
  func turn(
    round: Int, visitsAgain: Bool
  ) throws(EngineError) -> (durations: [UInt64], problem: String?) {
    defer { process?.suspend() }
    guard !isClaimed else {
      return (try operation.time(TimedRun(sets: [0], iterations: visits, cold: cold)), nil)
    }
    let started = ContinuousClock.now
    let operands = workload.operands(sets: visits + 1, round: round)
    let loaded = try meter.measure { () throws(EngineError) in
      for (set, operands) in operands.enumerated() { try operation.load(operands, set: set) }
    }.taken
    let timing = ContinuousClock.now
    let first = try slice(Array(0..<visits))
    let timed = ContinuousClock.now
    // Enough sets to compare, and few enough to cost little.
    let again = visits < 8 ? visits : (visits + 3) / 4
    if visitsAgain {
      let second = try slice(Array(0..<again))
      ledger.visits.append(
        AuditLedger.Visits(first: Self.trimmedMean(first[..<again]), second: Self.trimmedMean(second[...])))
    }
    let set = workload.chosenSet(of: again)
    let (answer, collected) = try meter.measure { () throws(EngineError) in try operation.collect(set: set) }
    process?.suspend()
    let problem = workload.problem(with: answer, set: set, of: engine)
    ledger.turns.append(
      AuditLedger.Turn(
        loads: visits + 1, loadCPU: loaded.cpu, collects: 1, collectCPU: collected.cpu,
        claimed: Self.sum(first[...]) / Double(visits)))
    auditSeconds += (ContinuousClock.now - started).seconds - (timed - timing).seconds
    return (first, problem)
  }

  /// These sets after runs on one that is not timed.
  private func warming(_ sets: [Int]) -> [Int] { Array(repeating: visits, count: warmUps) + sets }

  private func slice(_ sets: [Int]) throws(EngineError) -> [UInt64] {
    guard cold else {
      let visited = warming(sets)
      let (durations, taken) = try meter.measure { () throws(EngineError) in
        try operation.time(TimedRun(visiting: visited))
      }
      ledger.slices.append(
        AuditLedger.Slice(
          claimed: Self.sum(durations[...]), wall: taken.wall, cpu: taken.cpu, waited: taken.waited,
          sets: sets.count + 1, iterations: visited.count,
          distinct: Set(durations).count))
      return Array(durations[warmUps...])
    }
    // Each iteration is a request of its own, so that what flushing takes is not taken for work.
    var durations: [UInt64] = []
    for set in sets { durations += try operation.time(TimedRun(sets: [set], iterations: 1, cold: true)) }
    return durations
  }

  /// Without the longest tenth, which other programs may have interrupted.
  private static func trimmedMean(_ durations: ArraySlice<UInt64>) -> Double {
    let kept = durations.sorted().dropLast(durations.count / 10)
    return sum(kept) / Double(max(1, kept.count))
  }

  private static func sum(_ durations: ArraySlice<UInt64>) -> Double { durations.reduce(0) { $0 + Double($1) } }
}
