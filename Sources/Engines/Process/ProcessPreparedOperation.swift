import Foundation
import OperatingSystem
import Problems

/// An operation that another process holds ready, and what of it was timed can be collected.
final class ProcessPreparedOperation: PreparedOperation {
  private let held: HeldOperation
  private let exercise: Exercise

  init(engine: ProcessEngine, generation: Int, prepared: EngineMessages.Prepared, exercise: Exercise) {
    held = HeldOperation(engine: engine, generation: generation, prepared: prepared)
    self.exercise = exercise
  }

  var workspaceBytes: Int { held.workspaceBytes }
  var summary: String { held.summary }

  func load(_ operands: LateOperands, set: Int) throws(EngineError) {
    try held.engine.load(
      exercise.with(operands), handle: held.handle, set: set, generation: held.generation)
  }

  func time(_ run: TimedRun) throws(EngineError) -> [UInt64] { try held.time(run, sets: run.sets) }

  func collect(set: Int) throws(EngineError) -> Answer {
    try held.engine.collect(exercise, handle: held.handle, set: set, generation: held.generation)
  }
}

/// An operation of an engine that speaks the protocol's first version: its operands came when it was prepared, nothing of what
/// it timed can be seen, and its times are its claims.
final class ClaimedOperation: PreparedOperation {
  private let held: HeldOperation

  init(engine: ProcessEngine, generation: Int, prepared: EngineMessages.Prepared) {
    held = HeldOperation(engine: engine, generation: generation, prepared: prepared)
  }

  var workspaceBytes: Int { held.workspaceBytes }
  var summary: String { held.summary }

  /// Does nothing: there is one set, and it is loaded.
  func load(_ operands: LateOperands, set: Int) {}

  func time(_ run: TimedRun) throws(EngineError) -> [UInt64] { try held.time(run, sets: nil) }

  /// - Throws: ``Problems/EngineError/unsupported(_:)`` always.
  func collect(set: Int) throws(EngineError) -> Answer {
    throw .unsupported("\(held.engine.declaration.name) speaks protocol 1, which cannot show what was timed")
  }
}

/// What another process holds under a handle, until it is released.
private final class HeldOperation {
  let engine: ProcessEngine
  let generation: Int
  private let prepared: EngineMessages.Prepared

  init(engine: ProcessEngine, generation: Int, prepared: EngineMessages.Prepared) {
    self.engine = engine
    self.generation = generation
    self.prepared = prepared
  }

  deinit { engine.release(handle: prepared.handle, generation: generation) }

  var handle: String { prepared.handle }
  var workspaceBytes: Int { prepared.workspaceBytes ?? 0 }
  var summary: String { prepared.description ?? engine.declaration.name }

  /// - Throws: ``EngineError/failed(_:detail:)`` also when the durations cannot be true: another number of them than asked
  ///   for, one that is not positive, or together more than the time that the request took.
  func time(_ run: TimedRun, sets: [Int]?) throws(EngineError) -> [UInt64] {
    let start = ContinuousClock.now
    let (reply, _) = try engine.request(
      "time",
      EngineMessages.Time(handle: prepared.handle, sets: sets, iterations: run.iterations, cold: run.cold),
      EngineMessages.Times.self, generation: generation)
    let elapsed = Double((ContinuousClock.now - start).nanoseconds)
    let times = reply.nanoseconds
    let name = engine.declaration.name
    guard times.count == run.iterations else {
      throw .failed("\(name): expected \(run.iterations) durations, found \(times.count)")
    }
    guard let bad = times.first(where: { !($0 > 0 && $0 <= elapsed) }) else {
      let total = times.reduce(0, +)
      guard total <= elapsed else {
        throw .failed("\(name): claims \(total) ns of work in a request that took \(elapsed) ns")
      }
      // Every iteration takes some time, even where its duration is rounded to 0.
      return times.map { UInt64(max(1, $0.rounded())) }
    }
    throw .failed("\(name): a duration of \(bad) ns in a request that took \(elapsed) ns is impossible")
  }
}
