import Engines
import Problems
import Tensors

/// The reference, wrong where a condition holds: in one tensor, by one element.
struct WrongEngine: Engine {
  let name: String
  var operations: Set<String> = []
  /// Whether the problem is one of those that it gets wrong.
  let isWrong: @Sendable (any OperationProblem) -> Bool
  /// What it does to such an answer.
  var spoil: @Sendable (inout Answer, Exercise) -> Void = { answer, _ in
    for path in answer.outputs.keys.sorted().prefix(1) {
      answer.outputs.edit(path) { y in if y.count > 0 { y.elements[y.count - 1] += 1 } }
    }
  }

  var description: EngineDescription {
    EngineDescription(name: name, version: "1", operations: operations, usesThreads: false)
  }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    var answer = try ReferenceEngine().compute(exercise)
    if let problem = try? exercise.problem(), isWrong(problem) { spoil(&answer, exercise) }
    return answer
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("nobody times it")
  }
}
