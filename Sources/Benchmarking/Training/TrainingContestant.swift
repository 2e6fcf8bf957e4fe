import Engines
import Foundation
import OperatingSystem
import Problems
import Results
import RunAnalysis
import Tensors
import Verification

/// One engine on a workload of training steps: each turn it is prepared afresh, with the same initial values, and takes the steps
/// of a block.
///
/// A mini-batch is loaded when the step before it is done, so that nobody knows what a step will be on, and visited once.
final class TrainingContestant: Contestant {
  let engine: any Engine
  private let rounds: TrainingRounds
  private let meter: Meter
  private let cold: Bool
  var ledger = AuditLedger(isOfSteps: true)
  private(set) var estimate = 1.0
  let sets: Int? = nil
  /// A step waits for the one before it, and for nobody else's.
  let parts = 1
  /// What a block prepares is let go of at its end.
  let traced: (any TracedOperation)? = nil
  private(set) var auditSeconds = 0.0
  private var threadTimes: ThreadTimes?
  /// What the engine says of what it prepared.
  private(set) var summary = ""
  private(set) var workspaceBytes = 0

  /// - Throws: `EngineError`, `unsupported` where the engine does no such steps.
  init(_ engine: any Engine, _ rounds: TrainingRounds, cold: Bool) throws(EngineError) {
    let description = engine.description
    guard description.operations.isEmpty || description.operations.contains(ResNetProblem.operation) else {
      throw .unsupported("no operation \(ResNetProblem.operation)")
    }
    guard description.dtypes.contains(.float32) else { throw .unsupported("no float32") }
    guard description.trust != .claimed else {
      throw .unsupported("\(description.name) speaks protocol 1, which gives no mini-batches after the first")
    }
    self.engine = engine
    self.rounds = rounds
    self.cold = cold
    meter = Meter(engine)
  }

  /// Takes a first block's steps, which are not timed.
  /// - Returns: its losses held against the reference.
  /// - Throws: `EngineError` of the engine or the reference.
  func admission() throws(EngineError) -> CaseResult {
    defer { suspend() }
    let block = try block(TrainingRounds.first)
    estimate = Double(block.durations.min() ?? 1)
    return try rounds.result(block.losses, round: TrainingRounds.first, of: engine)
  }

  func planSlices(fastest: Double, slice: Double) {}

  func begin(round: Int, parts: Int) -> any ContestantTurn { Turn(self, round: round) }

  /// A turn: all steps of a block at once.
  private final class Turn: ContestantTurn {
    let contestant: TrainingContestant
    let round: Int
    var block = Block()

    init(_ contestant: TrainingContestant, round: Int) {
      self.contestant = contestant
      self.round = round
    }

    func visit() throws(EngineError) { block = try contestant.take(round) }

    func end() throws(EngineError) -> (durations: [UInt64], problem: String?) {
      try contestant.judge(block, round: round)
    }
  }

  /// Takes a block's steps.
  private func take(_ round: Int) throws(EngineError) -> Block {
    defer { suspend() }
    let started = ContinuousClock.now
    let block = try block(round)
    auditSeconds += (ContinuousClock.now - started).seconds
    for duration in block.durations[TrainedNetwork.reported] { auditSeconds -= Double(duration) * 1e-9 }
    return block
  }

  /// Writes down what a block's steps took, and holds its losses against what they must be.
  private func judge(_ block: Block, round: Int) throws(EngineError) -> (durations: [UInt64], problem: String?) {
    let started = ContinuousClock.now
    defer { auditSeconds += (ContinuousClock.now - started).seconds }
    let reported = block.durations[TrainedNetwork.reported].map { Double($0) }
    let mean = reported.reduce(0, +) / Double(reported.count)
    ledger.slices += block.slices
    ledger.steps.append(.init(reported: mean, after: Double(block.durations[TrainedNetwork.steps - 1])))
    ledger.turns.append(
      AuditLedger.Turn(
        loads: TrainedNetwork.steps, loadCPU: block.loads, collects: TrainedNetwork.steps, collectCPU: block.collects,
        claimed: mean))
    var problem = rounds.problem(with: block.losses)
    if problem == nil, rounds.looksAt(round) {
      let result = try rounds.result(block.losses, round: round, of: engine)
      if result.status != .pass { problem = "of the steps that were timed, \(result.message)" }
      ledger.lookedAt += 1
    }
    return (Array(block.durations[TrainedNetwork.reported]), problem)
  }

  /// What the steps of a block left, and took.
  private struct Block {
    /// As the engine claims.
    var durations: [UInt64] = []
    var losses: [Float] = []
    /// Of all steps but the first, which warms up.
    var slices: [AuditLedger.Slice] = []
    /// CPU time of all loads and of all collections; `nil` where the system does not tell.
    var loads: Double? = 0
    var collects: Double? = 0
  }

  /// Prepares, takes the steps, and lets go of what was prepared.
  private func block(_ round: Int) throws(EngineError) -> Block {
    // Drawn before the engine is asked for anything.
    let batches = rounds.batches(round)
    let operation = try engine.prepare(rounds.workload.work.exercise, for: rounds.workload.request)
    (summary, workspaceBytes) = (operation.summary, operation.workspaceBytes)
    var block = Block()
    for (step, batch) in batches.enumerated() {
      let loaded = try meter.measure { () throws(EngineError) in try operation.load(batch, set: step) }.taken
      block.loads = Self.sum(block.loads, loaded)
      let (claimed, taken) = try meter.measure { () throws(EngineError) in
        try operation.time(TimedRun(sets: [step], iterations: 1, cold: cold))
      }
      block.durations += claimed
      guard step > 0 else { continue }
      let claimedTime = claimed.reduce(0) { $0 + Double($1) }
      if let times = taken.threadTimes(threads: rounds.workload.item.threads, claimed: claimedTime) {
        threadTimes = threadTimes ?? ThreadTimes()
        threadTimes? += times
      }
      // What flushing takes lies within the request.
      guard !cold else { continue }
      block.slices.append(
        AuditLedger.Slice(
          claimed: claimedTime, wall: taken.wall, cpu: taken.cpu, waited: taken.waited,
          sets: 1))
    }
    for step in batches.indices {
      let (answer, collected) = try meter.measure { () throws(EngineError) in try operation.collect(set: step) }
      block.collects = Self.sum(block.collects, collected)
      block.losses.append(try Self.loss(answer))
    }
    return block
  }

  /// CPU time beyond the wall time is that of threads that still look for work.
  private static func sum(_ so: Double?, _ taken: Meter.Taken) -> Double? {
    so.flatMap { so in taken.cpu.map { so + min($0, taken.wall) } }
  }

  private static func loss(_ answer: Answer) throws(EngineError) -> Float {
    guard let loss = answer.outputs["loss"]?.floating(as: Float.self), loss.count == 1 else {
      let found = answer.outputs["loss"].map { "shape \($0.shape)" } ?? "none"
      throw .failed("outputs/loss: expected one number, found \(found)")
    }
    return loss.elements[0]
  }

  func takeThreadTimes() -> ThreadTimes? {
    defer { threadTimes = nil }
    return threadTimes
  }
}
