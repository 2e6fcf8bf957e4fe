import Engines
import Foundation
import Operations
import Problems
import Results
import Tensors
import Verification

/// The mini-batches of a training workload's rounds, the same for all contestants, and what their losses are held against.
final class TrainingRounds {
  let workload: TimedWorkload
  let network: TrainedNetwork
  /// The round that every contestant passes before any is timed.
  static let first = 1 << 20
  /// The rounds whose losses are held against the reference.
  private let lookedAt: Set<Int>
  /// What is expected of them, once it is known.
  private var expected: [Int: CaseVerifier] = [:]
  /// The mini-batches of the round at hand.
  private var current: (round: Int, batches: [LateOperands])?
  private let seed: UInt64

  /// - Parameters:
  ///   - workload: of a training pass.
  ///   - network: what it trains.
  ///   - blocks: that are timed.
  ///   - generator: draws what nobody can know.
  init(_ workload: TimedWorkload, _ network: TrainedNetwork, blocks: Int, using generator: inout SplitMix64) {
    self.workload = workload
    self.network = network
    lookedAt = Set(workload.looks(blocks: blocks) + [Self.first])
    seed = generator.next()
  }

  func looksAt(_ round: Int) -> Bool { lookedAt.contains(round) }

  /// A round's mini-batches, one a step. Of a round that is looked at, each has the distinct images equally often, in any order.
  func batches(_ round: Int) -> [LateOperands] {
    if let current, current.round == round { return current.batches }
    let batches = (0..<TrainedNetwork.steps).map { step in
      let drawn = workload.sets.operands(set: step, round: round)
      guard looksAt(round), network.distinctImages < network.batch, let images = Self.images(drawn) else {
        return drawn
      }
      var order = SplitMix64(seed: seed &+ UInt64(TrainedNetwork.steps * round + step))
      let rows = (0..<network.batch).map { $0 % network.distinctImages }.shuffled(using: &order)
      let batch = images.batch(rows)
      return LateOperands(inputs: ["x": .float32(batch.images), "target": .int64(batch.labels)])
    }
    current = (round, batches)
    return batches
  }

  private static func images(_ operands: LateOperands) -> LabelledImages<Float>? {
    guard case .float32(let images)? = operands.inputs["x"], let labels = operands.inputs["target"]?.integers else {
      return nil
    }
    return LabelledImages(images: images, labels: labels)
  }

  /// Computes what the losses of the rounds that are looked at in blocks must be, before any block is timed.
  /// - Parameters:
  ///   - turns: of each contestant in a block, whose rounds alone are there: two at most.
  ///   - shouldStop: asked before each round.
  /// - Throws: `EngineError` of the reference.
  func expectBlocks(turns: Int, shouldStop: () -> Bool) throws(EngineError) {
    for round in lookedAt.sorted() where round % 2 < turns && !shouldStop() { _ = try verifier(round) }
  }

  private func verifier(_ round: Int) throws(EngineError) -> CaseVerifier {
    if let known = expected[round] { return known }
    let distinct = (0..<TrainedNetwork.steps).compactMap { step in
      Self.images(workload.sets.operands(set: step, round: round))?.batch(Array(0..<network.distinctImages))
    }
    let threads = ProcessInfo.processInfo.activeProcessorCount
    let run = network.run(workload.work.single, distinct, threads: threads)
    let found = try CaseVerifier(ofRuns: run, file: "benchmark")
    expected[round] = found
    return found
  }

  /// Holds a round's losses against the reference.
  /// - Parameters:
  ///   - losses: of each step.
  ///   - round: one that is looked at.
  ///   - engine: whose bounds hold.
  /// - Throws: `EngineError` of the reference.
  func result(_ losses: [Float], round: Int, of engine: any Engine) throws(EngineError) -> CaseResult {
    let verifier = try verifier(round)
    // An engine that is timed on a step need not compute runs when it is asked to.
    var description = engine.description
    description.operations = [TrainingRunProblem.operation]
    description.algorithms[TrainingRunProblem.operation] = description.algorithms[ResNetProblem.operation]
    let answer = Answer(outputs: ["loss": .float32(Tensor(shape: [losses.count], elements: losses))])
    let result = verifier.verify(
      RecordedAnswer(description, answer), dtype: .float32, threads: [workload.item.threads], repeating: false)
    return network.isMeasuredByFewestRuns ? Self.widened(result) : result
  }

  /// In a large network a loss, one number, has its deviation from three runs, two with frozen gates and a free one, which may all
  /// lie close to the undisturbed run. Student's t with three degrees of freedom exceeds 130 deviations with probability 10⁻⁶;
  /// bounds allow λ.
  private static let fewRuns = 130.2 / ElementBounds.lambda

  private static func widened(_ result: CaseResult) -> CaseResult {
    var result = result
    for index in result.tensors.indices { result.tensors[index].worstRatio /= fewRuns }
    if result.status == .fail, !result.tensors.isEmpty,
      result.tensors.allSatisfy({ $0.worstRatio <= 1 && $0.problem.isEmpty })
    {
      result.status = .pass
      result.message = ""
    }
    return result
  }

  /// What is wrong with losses that are not looked at: each must be a number.
  func problem(with losses: [Float]) -> String? {
    guard let step = losses.firstIndex(where: { !$0.isFinite }) else { return nil }
    let isUnwritten = losses[step].bitPattern == UnwrittenMark.float32.bitPattern
    return "the loss of step \(step + 1) of a block is \(isUnwritten ? "not written" : "\(losses[step])")"
  }
}
