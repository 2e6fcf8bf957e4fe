import Problems
import Tensors

extension CrossEntropy {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("shifted input") { Perturbation.rolled($0) },
    .operand("dropped class weight", "weight") { $0.map { _ in 1 } },
  ])

  /// Mistakes that people make in cross-entropy.
  public static let mutants: Applicable<[Mutant]> = .some([
    .unshifted(in: name),
    answering("mean over N in spite of ignored rows") { answer, exercise in
      let targets = targets(exercise)
      let kept = targets.count { $0 != ignored(exercise) }
      guard isMean(exercise), kept < targets.count, exercise.parameters["weight"] == nil else { return }
      scale(&answer, by: Double(kept) / Double(targets.count))
    },
    asking("smoothing over C − 1 classes") { exercise in
      let smoothing = (try? exercise.attributes.real("label_smoothing", default: 0)) ?? 0
      let classes = Double(exercise.inputs["x"]?.shape[1] ?? 1)
      if smoothing > 0, classes > 1, smoothing * classes / (classes - 1) <= 1 {
        exercise.attributes["label_smoothing"] = .real(smoothing * classes / (classes - 1))
      }
    },
    answering("class weights missing in the denominator") { answer, exercise in
      guard isMean(exercise), let weight = exercise.parameters["weight"]?.doubles.elements else { return }
      let rows = targets(exercise).filter { $0 != ignored(exercise) }.map { Int($0) }
      guard !rows.isEmpty, rows.allSatisfy(weight.indices.contains) else { return }
      scale(&answer, by: rows.reduce(0) { $0 + weight[$1] } / Double(rows.count))
    },
    answering("gradient not divided by N") { answer, exercise in
      guard isMean(exercise), let batch = exercise.inputs["x"]?.shape[0] else { return }
      answer.gradients.edit("x") { $0 = $0.map { $0 * Double(batch) } }
    },
    answering("ignored rows leak into the gradient") { answer, exercise in
      let targets = targets(exercise)
      let none = ignored(exercise)
      answer.gradients.edit("x") { dx in
        dx = dx.indexed { targets.indices.contains($0[0]) && targets[$0[0]] == none ? 1e-3 : $1 }
      }
    },
    asking("cotangent of the loss ignored") { exercise in
      exercise.upstream.edit("loss") { $0 = $0.map { _ in 1 } }
    },
    asking("targets shifted by one class") { exercise in
      guard case .int64(let target)? = exercise.inputs["target"], let classes = exercise.inputs["x"]?.shape[1] else {
        return
      }
      let none = ignored(exercise)
      exercise.inputs["target"] = .int64(
        target.map { $0 == none || $0 < 0 || $0 >= classes ? $0 : ($0 + 1) % Int64(classes) })
    },
    asking("label smoothing ignored") { $0.attributes["label_smoothing"] = .real(0) },
    asking("class weights ignored") { $0.parameters.edit("weight") { $0 = $0.map { _ in 1 } } },
    asking("ignore_index taken as a class") { exercise in
      // The rows are then looked up like any other; −100 wraps around.
      guard case .int64(let target)? = exercise.inputs["target"] else { return }
      let none = ignored(exercise)
      exercise.inputs["target"] = .int64(target.map { $0 == none ? 0 : $0 })
    },
    answering("sum taken for mean") { answer, exercise in
      guard isMean(exercise), let batch = exercise.inputs["x"]?.shape[0], batch > 1 else { return }
      scale(&answer, by: Double(batch))
    },
  ])

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .linearAndLoss, [Self.name], change)
  }

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .linearAndLoss, [Self.name], change) }

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
}
