import Engines
import Operations
import Problems
import Tensors

/// An operation that is timed on its own and held against the reference as a whole. Convolutions have parts to be held, and
/// whole networks passes of their own: they are other subjects.
public struct TimedOperation: Hashable, Sendable {
  public let problem: any OperationProblem
  private let definition: any Operations.Operation

  /// - Throws: ``Problems/ProblemError`` for what is timed as a whole network, or whose results follow from a whole training run.
  init(_ problem: any OperationProblem) throws(ProblemError) {
    guard !(problem is ResNetProblem), !(problem is TrainingRunProblem) else {
      throw ProblemError(
        .invalidArgument, "problems",
        expected: "an operation; networks are named under networks, with whole_networks = true",
        found: "'\(problem.text)'")
    }
    self.problem = problem
    definition = problem.definition
  }

  public static func == (left: TimedOperation, right: TimedOperation) -> Bool {
    left.problem.text == right.problem.text
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(problem.text) }

  /// Forward of every operation; backward to `x` and to `weight` where it has them and is differentiable there.
  func has(_ pass: TimingRequest.TimedPass) -> Bool {
    guard let operand = pass.gradientOperand else { return pass == .forward }
    return definition.differentiableOperands.value?.contains(operand) ?? false
  }

  /// Elements that a pass reads and writes, once each: every operand and output; backward the cotangents and the gradient, of
  /// which it is certain that they are needed.
  func compulsoryElements(of pass: TimingRequest.TimedPass) -> Int {
    let given = pass.gradientOperand == nil ? problem.operands.all : problem.outputs.filter { $0.value.dtype != .int64 }
    return (Array(given.values) + Array(pass.results(of: problem).values)).reduce(0) { $0 + $1.shape.count }
  }

  /// Operands by what each means, and what is wanted of the pass.
  func exercise(_ pass: TimingRequest.TimedPass, threads: Int, seed: UInt64) -> Exercise {
    let random = RandomExercise(problem: problem, roles: definition.roles, fill: .random, seed: seed)
    var exercise = random.exercise
    exercise.name = "/" + problem.text
    exercise.wanted = Set(pass.results(of: problem).keys)
    exercise.threads = threads
    if pass.gradientOperand == nil {
      exercise.passes = [.forward]
      exercise.upstream = [:]
    }
    return exercise
  }

  /// Whether the reference computes it so fast that every block's results can be held against it: so many steps take it some
  /// hundredths of a second, as long as a block of a few slices.
  var isCheaplyHeld: Bool { problem.work.value <= 1 << 24 }

  /// The first axis of the first input, which the field calls the batch.
  var batch: Int {
    problem.operands.inputs["x"]?.shape.dimensions.first
      ?? problem.operands.inputs.min { $0.key < $1.key }?.value.shape.dimensions.first ?? 1
  }
}
