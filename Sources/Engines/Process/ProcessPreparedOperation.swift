import Foundation
import Problems

/// An operation that another process holds ready.
final class ProcessPreparedOperation: PreparedOperation {
  private let engine: ProcessEngine
  private let generation: Int
  private let prepared: EngineMessages.Prepared

  init(engine: ProcessEngine, generation: Int, prepared: EngineMessages.Prepared) {
    self.engine = engine
    self.generation = generation
    self.prepared = prepared
  }

  deinit { engine.release(handle: prepared.handle, generation: generation) }

  var workspaceBytes: Int { prepared.workspaceBytes ?? 0 }
  var summary: String { prepared.description ?? engine.declaration.name }

  /// - Throws: ``EngineError/failed(_:detail:)`` also when the durations cannot be true: another number of them than asked
  ///   for, one that is not positive, or together more than the time that the request took.
  func time(iterations: Int, cold: Bool) throws(EngineError) -> [UInt64] {
    let start = ContinuousClock.now
    let (reply, _) = try engine.request(
      "time", EngineMessages.Time(handle: prepared.handle, iterations: iterations, cold: cold),
      EngineMessages.Times.self, generation: generation)
    let elapsed = (ContinuousClock.now - start).milliseconds * 1e6
    let times = reply.nanoseconds
    let name = engine.declaration.name
    guard times.count == iterations else {
      throw .failed("\(name): expected \(iterations) durations, found \(times.count)")
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
