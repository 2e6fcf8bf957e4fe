import Problems
import Tensors

extension Mutant {
  /// Some results of an operation computed with sums that are kept in 16 bits, where float32 is declared.
  static func summedInSixteenBits(_ name: String, _ operation: String, _ paths: Set<String>) -> Mutant {
    ofSixteenBits(name, [operation]) { (exercise, correct) throws(EngineError) in
      let answer = try correct(exercise)
      guard let keeping = exercise.dtype.sumKeeping, let wrong = try exercise.computed(keeping)?.stored(as: exercise)
      else { return answer }
      return answer.edited { path, tensor in paths.contains(path) ? wrong[path] ?? tensor : tensor }
    }
  }

  /// A sum over the channels or features of `x` split in two, each half stored in 16 bits before both are added.
  static func splitInSixteenBits(_ name: String, _ operation: String) -> Mutant {
    ofSixteenBits(name, [operation]) { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let shape = exercise.inputs["x"]?.shape, shape.rank > 1, shape[1] > 1 else { return answer }
      func half(_ isKept: (_ channel: Int) -> Bool) throws(EngineError) -> Tensor<Double>? {
        var part = exercise
        part.passes = [.forward]
        part.wanted = []
        part.inputs.edit("x") { x in x = x.indexed { isKept($0[1]) ? $1 : 0 } }
        if !isKept(0) { part.parameters.edit("bias") { $0 = $0.map { _ in 0 } } }
        return try correct(part).outputs["y"]?.doubles
      }
      guard let first = try half({ $0 < shape[1] / 2 }), let second = try half({ $0 >= shape[1] / 2 }) else {
        return answer
      }
      answer.outputs.edit("y") { y in
        for i in y.elements.indices { y.elements[i] = first.elements[i] + second.elements[i] }
      }
      return answer
    }
  }
}
