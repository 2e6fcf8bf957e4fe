import Benchmarking
import Engines
import Operations
import Problems
import Tensors

/// Trains by the definition, or pretends to, and computes rightly whatever it is asked outside of steps that are timed.
struct TrainingCheat: Engine {
  /// What it does in a step.
  enum Trick: String, CaseIterable {
    case none
    /// Answers the loss of the forward pass.
    case trainsNothing = "trains_nothing"
    /// Answers the loss of the forward pass in every second step, and that of a step in the others.
    case everySecond = "every_second"
    /// Leaves the gradient of the last step that is reported to the one after it.
    case putsOff = "puts_off"
    /// Answers the first step's loss again.
    case firstLoss = "first_loss"
  }

  let description: EngineDescription
  private let trick: Trick

  init(_ trick: Trick, name: String) {
    self.trick = trick
    description = EngineDescription(
      name: name, version: "1", operations: [ResNetProblem.operation], dtypes: [.float32], usesThreads: false,
      trust: .host)
  }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer { try ReferenceEngine().compute(exercise) }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    guard timing.pass == .trainingStep else { throw .unsupported("steps of training alone") }
    let asked = try TrainingExercise(exercise)
    let trainer = Trainer(trick, asked.network.plan, try asked.step(exercise))
    return TrainingOperation(asked.network, summary: trick.rawValue) { (batch) throws(EngineError) in
      do throws(ProblemError) { return try trainer.step(batch) } catch { throw EngineError(error) }
    }
  }
}

/// What goes on from step to step.
private final class Trainer {
  private let trick: TrainingCheat.Trick
  private let plan: NetworkPlan
  private var own: TrainingStep<Float>
  private var number = 0
  private var left: LabelledImages<Float>?
  private var first: Double?

  init(_ trick: TrainingCheat.Trick, _ plan: NetworkPlan, _ own: TrainingStep<Float>) {
    (self.trick, self.plan, self.own) = (trick, plan, own)
  }

  func step(_ batch: LabelledImages<Float>) throws(ProblemError) -> Double {
    defer { number += 1 }
    switch trick {
    case .none: return try train(batch)
    case .trainsNothing: return try forward(batch)
    case .everySecond: return number % 2 == 0 ? try train(batch) : try forward(batch)
    case .putsOff:
      if let left { _ = try train(left) }
      left = nil
      guard number >= TrainedNetwork.reported.upperBound - 1 else { return try train(batch) }
      left = batch
      return try forward(batch)
    case .firstLoss:
      if let first { return first }
      let loss = try forward(batch)
      first = loss
      return loss
    }
  }

  private func train(_ batch: LabelledImages<Float>) throws(ProblemError) -> Double {
    Double(try own.run(plan, batch).loss)
  }

  private func forward(_ batch: LabelledImages<Float>) throws(ProblemError) -> Double {
    var pass = NetworkPass(state: own.state)
    pass.keepsRecords = false
    let logits = try pass.forward(plan, x: batch.images).logits
    let loss = CrossEntropy(try CrossEntropyProblem(batch: logits.shape[0], classes: logits.shape[1]))
    return Double(try loss.forward(logits, target: .indices(batch.labels)).elements[0])
  }
}
