import Problems
import Tensors

extension Conv2d {
  /// Mistakes that people make in Winograd convolutions; those in the transforms need wrong matrices, and are elsewhere.
  static let winograd: [Mutant] = tiles + gradients

  /// A change of the weight gradient of a Winograd engine, whose bound is wider than a direct sum's.
  private static func gradient(
    _ name: String, outputTile: Int, _ change: @escaping @Sendable (inout Tensor<Double>) -> Void
  ) -> Mutant {
    Mutant(name, .winograd, [Self.name], of: "winograd\(outputTile)") {
      { (exercise, correct) throws(EngineError) in
        var answer = try correct(exercise)
        answer.gradients.edit("weight", change)
        return answer
      }
    }
  }

  private static let gradients: [Mutant] = [
    gradient("dW of F(4×4) kept in eleven bits", outputTile: 4) { $0 = $0.rounded(toBits: 11) },
    gradient("an element of dW of F(4×4) wrong by 1/2000", outputTile: 4) { dw in
      if dw.count > 0 { dw.elements[dw.count / 3] *= 1 + 0x1p-11 }
    },
  ]

  private static func suits(_ exercise: Exercise) -> Bool {
    guard let weight = exercise.parameters["weight"]?.shape, weight.rank == 4 else { return false }
    return weight[2] == 3 && weight[3] == 3 && exercise.pair("stride", default: 1) == 1
  }

  private static let tiles: [Mutant] = [
    .answering("rows beyond the last whole tile not written", .winograd, [Self.name]) { answer, exercise in
      guard suits(exercise) else { return }
      answer.outputs.edit("y") { y in y = y.indexed { $0[2] >= y.shape[2] / 4 * 4 ? 0 : $1 } }
    },
    .answering("columns beyond the last whole tile repeated", .winograd, [Self.name]) { answer, exercise in
      guard suits(exercise) else { return }
      answer.outputs.edit("y") { y in
        let whole = y.shape[3] / 2 * 2
        guard whole > 0 else { return }
        y = y.gathered { [$0[0], $0[1], $0[2], min($0[3], whole - 1)] }
      }
    },
    .stateless("used at stride 2", .winograd, [Self.name]) { (exercise, correct) throws(EngineError) in
      guard let weight = exercise.parameters["weight"]?.shape, weight.rank == 4, weight[2] == 3, weight[3] == 3,
        exercise.pair("stride", default: 1) == 2, let shape = try correct(exercise).outputs["y"]?.shape
      else { return try correct(exercise) }
      var answer = try correct(exercise)
      var dense = exercise
      dense.attributes["stride"] = .integer(1)
      dense.passes = [.forward]
      dense.upstream = [:]
      let y = try correct(dense).outputs["y"]?.doubles
      if let y { answer.outputs.edit("y") { $0 = y.gathered(shape) { $0 } } }
      return answer
    },
    Mutant("filter transform kept from the call before", .winograd, [Self.name]) {
      let kept = Remembered<AnyTensor>()
      return { (exercise, correct) throws(EngineError) in
        guard suits(exercise), let weight = exercise.parameters["weight"] else { return try correct(exercise) }
        var changed = exercise
        // The same shape again is taken for the same weights.
        if let before = kept.exchange(weight), before.shape == weight.shape {
          changed.parameters["weight"] = before.converted(to: exercise.dtype)
        }
        return try correct(changed)
      }
    },
  ]
}
