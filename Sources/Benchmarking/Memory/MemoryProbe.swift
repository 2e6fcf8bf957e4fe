import Engines
import Foundation
import Problems
import Results
import StrategyEngines

/// Measures what engines hold of main memory for a workload: each in a process of its own, started for nothing else, so that
/// neither other workloads nor the oracle are in it.
public struct MemoryProbe: Sendable {
  /// Why there is no figure: one sentence.
  package struct Missing: Error { package let reason: String }

  /// Enough for whatever a framework allocates when it first runs.
  private static let runs = 3

  /// The path of this program, which serves the engines that are built in.
  private let program: String

  /// - Parameter program: the path of this program.
  public init(program: String) { self.program = program }

  /// - Parameters:
  ///   - engine: whose memory; one that is built in is started as `assay engine`.
  ///   - exercise: what is prepared.
  ///   - request: how it would be timed.
  /// - Throws: ``Missing`` also where the engine fails.
  package func record(
    of engine: any Engine, on exercise: Exercise, _ request: TimingRequest
  ) throws(Missing) -> MemoryRecord {
    let declaration = try declaration(of: engine)
    do throws(EngineError) {
      let fresh = try ProcessEngine(declaration)
      guard let start = fresh.memory() else {
        throw EngineError.unsupported("this system does not tell the memory of another process")
      }
      // Importing a framework may have taken more than the network will.
      let isCounted = fresh.restartPeakMemory()
      let operation = try fresh.prepare(exercise, for: request)
      try operation.load(exercise.late, set: 0)
      let prepared = fresh.memory()
      let isCountedAgain = isCounted && fresh.restartPeakMemory()
      _ = try operation.time(TimedRun(sets: [0], iterations: Self.runs))
      guard let prepared, let ran = fresh.memory() else {
        throw EngineError.failed("\(declaration.name): its process ended")
      }
      return MemoryRecord(
        startBytes: start.residentBytes, peakBytes: max(prepared.peakBytes, ran.peakBytes),
        runningBytes: isCountedAgain ? ran.peakBytes : nil)
    } catch {
      if case .unsupported(let reason) = error { throw Missing(reason: reason) }
      throw Missing(reason: "\(error)")
    }
  }

  private func declaration(of engine: any Engine) throws(Missing) -> ProcessEngine.Declaration {
    if let engine = engine as? ProcessEngine { return engine.declaration }
    let name = engine.description.name
    guard BuiltInEngines.named(name) != nil else {
      throw Missing(reason: "expected a built-in engine or one in a process of its own, found \(name) in this one")
    }
    return ProcessEngine.Declaration(
      name: name, command: ServedEngine.command(program, name, options: ["--tuned"]), timeout: 600)
  }
}

extension BenchmarkSubject {
  /// Whether it is a network, or a step of training one, and not one layer of it.
  var isWholeNetwork: Bool {
    switch self {
    case .convolution, .operation: false
    case .network, .training: true
    }
  }
}

extension BenchmarkContestant {
  /// Adds what it holds of memory, or why nobody knows.
  mutating func measureMemory(
    with probe: MemoryProbe, of engine: any Engine, on exercise: Exercise, _ request: TimingRequest
  ) {
    do throws(MemoryProbe.Missing) { memory = try probe.record(of: engine, on: exercise, request) } catch {
      memoryMissing = error.reason
    }
  }
}
