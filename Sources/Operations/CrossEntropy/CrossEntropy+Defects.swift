import Engines
import Problems
import Tensors

/// Mistakes that people make in linear layers, softmax and cross-entropy.
enum LossMutants {
  static let all: [Mutant] = linear + softmax + crossEntropy

  private static func stateless(_ name: String, _ operations: [String], _ defect: @escaping Mutant.Defect) -> Mutant {
    .stateless(name, .linearAndLoss, operations, defect)
  }
  private static func asking(
    _ name: String, _ operations: [String], _ change: @escaping @Sendable (inout Exercise) -> Void
  ) -> Mutant { .asking(name, .linearAndLoss, operations, change) }
  private static func answering(
    _ name: String, _ operations: [String], _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .linearAndLoss, operations, change) }

  /// Row-major elements under the other reading of a matrix: what a missing transposition does to memory.
  private static func misread(_ matrix: Tensor<Double>) -> Tensor<Double> {
    guard matrix.shape.rank == 2 else { return matrix }
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    return Tensor(
      shape: matrix.shape,
      elements: matrix.elements.indices.map { matrix.elements[$0 % columns * rows + $0 / columns] })
  }

  private static let linear: [Mutant] = [
    asking("weight not transposed", ["linear"]) { $0.parameters.edit("weight") { $0 = misread($0) } },
    answering("dW transposed", ["linear"]) { answer, _ in answer.gradients.edit("weight") { $0 = misread($0) } },
    answering("db without the sum over the batch", ["linear"]) { answer, exercise in
      guard let dy = exercise.upstream["y"]?.doubles, dy.shape[0] > 0 else { return }
      answer.gradients.edit("bias") { db in
        for o in db.elements.indices { db.elements[o] = dy.elements[o] }
      }
    },
    asking("last feature dropped", ["linear"]) { exercise in
      exercise.inputs.edit("x") { x in x = x.indexed { $0[1] == x.shape[1] - 1 ? 0 : $1 } }
    },
    asking("inputs rounded to TF32 in the linear layer", ["linear"]) { exercise in
      exercise.inputs.edit("x") { $0 = $0.rounded(toBits: 11) }
      exercise.parameters.edit("weight") { $0 = $0.rounded(toBits: 11) }
    },
    answering("gradient of the second summand dropped", ["add"]) { answer, _ in
      answer.gradients.edit("other") { $0 = $0.map { _ in 0 } }
    },
    answering("gradient of a sum doubled", ["add"]) { answer, _ in
      answer.gradients.edit("x") { $0 = $0.map { 2 * $0 } }
    },
  ]

  private static let softmax: [Mutant] = [
    answering("no shift by the maximum", ["softmax", "log_softmax", "cross_entropy"]) { answer, exercise in
      guard let x = exercise.inputs["x"]?.doubles else { return }
      let limit = exercise.dtype == .float32 ? 88.0 : 709.0
      // exp overflows somewhere, and ∞/∞ follows.
      guard x.elements.contains(where: { $0 > limit }) else { return }
      for name in ["y", "loss"] { answer.outputs.edit(name) { $0 = $0.map { _ in .nan } } }
    },
    answering("gradient of the diagonal alone", ["softmax"]) { answer, exercise in
      guard let y = answer.outputs["y"]?.doubles.elements, let dy = exercise.upstream["y"]?.doubles.elements else {
        return
      }
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices { dx.elements[i] = dy[i] * y[i] * (1 - y[i]) }
      }
    },
    answering("gradient without the sum of cotangents", ["log_softmax"]) { answer, exercise in
      guard let dy = exercise.upstream["y"]?.doubles else { return }
      answer.gradients.edit("x") { $0 = dy }
    },
    answering("exponential by a low-order polynomial", ["softmax"]) { answer, _ in
      answer.outputs.edit("y") { $0 = $0.map { $0 * (1 + 1e-4 * $0) } }
    },
  ]

  private static let loss = ["cross_entropy"]

  private static func targets(_ exercise: Exercise) -> [Int64] { exercise.inputs["target"]?.integers?.elements ?? [] }

  private static func ignored(_ exercise: Exercise) -> Int64 {
    Int64((try? exercise.attributes.integer("ignore_index", default: -100)) ?? -100)
  }

  private static func isMean(_ exercise: Exercise) -> Bool {
    let reduction = (try? exercise.attributes.string("reduction", default: "mean")) ?? "mean"
    return reduction == "mean"
  }

  private static func scale(_ answer: inout Answer, by factor: Double) {
    answer.outputs.edit("loss") { $0 = $0.map { $0 * factor } }
    answer.gradients.edit("x") { $0 = $0.map { $0 * factor } }
  }

  private static let crossEntropy: [Mutant] = [
    answering("mean over N in spite of ignored rows", loss) { answer, exercise in
      let targets = targets(exercise)
      let kept = targets.count { $0 != ignored(exercise) }
      guard isMean(exercise), kept < targets.count, exercise.parameters["weight"] == nil else { return }
      scale(&answer, by: Double(kept) / Double(targets.count))
    },
    asking("smoothing over C − 1 classes", loss) { exercise in
      let smoothing = (try? exercise.attributes.real("label_smoothing", default: 0)) ?? 0
      let classes = Double(exercise.inputs["x"]?.shape[1] ?? 1)
      if smoothing > 0, classes > 1, smoothing * classes / (classes - 1) <= 1 {
        exercise.attributes["label_smoothing"] = .real(smoothing * classes / (classes - 1))
      }
    },
    answering("class weights missing in the denominator", loss) { answer, exercise in
      guard isMean(exercise), let weight = exercise.parameters["weight"]?.doubles.elements else { return }
      let rows = targets(exercise).filter { $0 != ignored(exercise) }.map { Int($0) }
      guard !rows.isEmpty, rows.allSatisfy(weight.indices.contains) else { return }
      scale(&answer, by: rows.reduce(0) { $0 + weight[$1] } / Double(rows.count))
    },
    answering("gradient not divided by N", loss) { answer, exercise in
      guard isMean(exercise), let batch = exercise.inputs["x"]?.shape[0] else { return }
      answer.gradients.edit("x") { $0 = $0.map { $0 * Double(batch) } }
    },
    answering("ignored rows leak into the gradient", loss) { answer, exercise in
      let targets = targets(exercise)
      let none = ignored(exercise)
      answer.gradients.edit("x") { dx in
        dx = dx.indexed { targets.indices.contains($0[0]) && targets[$0[0]] == none ? 1e-3 : $1 }
      }
    },
    asking("cotangent of the loss ignored", loss) { exercise in
      exercise.upstream.edit("loss") { $0 = $0.map { _ in 1 } }
    },
    asking("targets shifted by one class", loss) { exercise in
      guard case .int64(let target)? = exercise.inputs["target"], let classes = exercise.inputs["x"]?.shape[1] else {
        return
      }
      let none = ignored(exercise)
      exercise.inputs["target"] = .int64(
        target.map { $0 == none || $0 < 0 || $0 >= classes ? $0 : ($0 + 1) % Int64(classes) })
    },
    asking("label smoothing ignored", loss) { $0.attributes["label_smoothing"] = .real(0) },
    asking("class weights ignored", loss) { $0.parameters.edit("weight") { $0 = $0.map { _ in 1 } } },
    asking("ignore_index taken as a class", loss) { exercise in
      // The rows are then looked up like any other; −100 wraps around.
      guard case .int64(let target)? = exercise.inputs["target"] else { return }
      let none = ignored(exercise)
      exercise.inputs["target"] = .int64(target.map { $0 == none ? 0 : $0 })
    },
    answering("sum taken for mean", loss) { answer, exercise in
      guard isMean(exercise), let batch = exercise.inputs["x"]?.shape[0], batch > 1 else { return }
      scale(&answer, by: Double(batch))
    },
  ]
}
