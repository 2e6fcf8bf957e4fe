import Problems
import Tensors

/// Some mini-batches of training a network, and its logits on the first batch afterwards, in evaluation.
public struct TrainingRun: PassingOperation {
  public let problem: TrainingRunProblem
  public init(_ problem: TrainingRunProblem) { self.problem = problem }

  var passedLayers: [NetworkLayer] { problem.trainingPlan.layers }
  var isSinglePass: Bool { false }
  public var layers: Applicable<any LayeredOperation> {
    .none(because: "it is many passes, with a step of an optimiser after each")
  }
  public var differentiableOperands: Applicable<[String]> { .none(because: "it gives no gradients") }

  func run<Scalar: RealScalar>(
    _ given: Given<Scalar>, hooks: (Int) -> StepHooks<Scalar>
  ) throws(ProblemError) -> Found<Scalar> {
    let images = try given.operand("images")
    let (labels, batches) = (try given.integers("labels"), try given.integers("batches"))
    for row in batches.elements where row < 0 || row >= images.shape[0] {
      throw ProblemError(
        .indexOutOfRange, "inputs/batches", expected: "rows below \(images.shape[0])", found: "\(row)")
    }
    for label in labels.elements where label < 0 || label >= problem.classCount {
      throw ProblemError(
        .indexOutOfRange, "inputs/labels", expected: "classes below \(problem.classCount)", found: "\(label)")
    }
    var step = TrainingStep(
      state: try NetworkState(given, layers: problem.trainingPlan.layers), optimizer: Optimizer(problem.optimizer))
    step.threads = given.threads
    let set = LabelledImages(images: images, labels: labels)
    func rows(_ number: Int) -> [Int] {
      batches.elements[number * problem.batch..<(number + 1) * problem.batch].map { Int($0) }
    }
    var losses: [Scalar] = []
    for number in 0..<problem.stepCount {
      losses.append(try step.run(problem.trainingPlan, set.batch(rows(number)), hooks: hooks(number)).loss)
    }
    var pass = NetworkPass(state: step.state)
    let last = hooks(problem.stepCount)
    last.begin(&pass)
    let logits = try pass.forward(problem.evaluationPlan, x: set.batch(rows(0)).images).logits
    last.end(pass)
    return Found(outputs: ["loss": Tensor(shape: [problem.stepCount], elements: losses), "logits": logits])
  }
}
