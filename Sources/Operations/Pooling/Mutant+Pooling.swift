import Problems
import Tensors

/// Mistakes that operations on windows, and those that keep NaN, have in common.
extension Mutant {
  static func quietNaN(in operation: String) -> Mutant {
    .answering("NaN becomes 0", .reluAndPooling, [operation]) { answer, _ in
      answer.outputs.edit("y") { $0 = $0.map { $0.isNaN ? 0 : $0 } }
    }
  }

  static func ceilAsFloor(in operation: String) -> Mutant {
    .stateless("ceil taken as floor", .reluAndPooling, [operation]) { (exercise, correct) throws(EngineError) in
      let correctShape = (try? exercise.problem())??.outputs["y"]?.shape
      var changed = exercise
      changed.attributes["ceil_mode"] = .boolean(false)
      changed.passes = [.forward]
      guard var answer = try? correct(changed) else { return try correct(exercise) }
      answer.gradients = try correct(exercise).gradients
      answer.resize(correctShape)
      return answer
    }
  }

  static func undividedGradient(in operation: String) -> Mutant {
    .answering("gradient of the average not divided", .reluAndPooling, [operation]) { answer, exercise in
      guard let x = exercise.inputs["x"]?.shape, let y = answer.outputs["y"]?.shape else { return }
      let size = Double(max(x[2] * x[3] / max(y[2] * y[3], 1), 2))
      answer.gradients.edit("x") { $0 = $0.map { $0 * size } }
    }
  }
}

extension Answer {
  /// The output `y` cut, or filled up with zeros, to the size that was asked for.
  mutating func resize(_ shape: Shape?) {
    guard let shape else { return }
    outputs.edit("y") { y in y = y.gathered(shape) { $0 } }
  }
}
