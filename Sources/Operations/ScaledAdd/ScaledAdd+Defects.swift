import Problems
import Tensors

extension ScaledAdd {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("dropped term", "other") { Perturbation.zeroed($0) },
    .operand("shifted input") { Perturbation.rolled($0) },
    Perturbation(name: "factor of the other sign") { exercise, _ in
      var changed = exercise
      changed.attributes["alpha"] = .real(-alpha(of: exercise))
      return changed
    },
  ])

  /// Mistakes that people make where a branch has a factor.
  public static let mutants: Applicable<[Mutant]> = .some([
    asking("factor of the branch ignored") { $0.attributes["alpha"] = .real(1) },
    asking("factor of the branch rounded to bf16") { exercise in
      exercise.attributes["alpha"] = .real(alpha(of: exercise).rounded(toBits: 8))
    },
    // As an axpy that returns at once.
    asking("branch with factor 0 left out") { exercise in
      if alpha(of: exercise) == 0 { exercise.inputs.edit("other") { $0 = $0.map { _ in 0 } } }
    },
    stateless("factor on the shortcut") { (exercise, correct) throws(EngineError) in
      var changed = exercise
      (changed.inputs["x"], changed.inputs["other"]) = (exercise.inputs["other"], exercise.inputs["x"])
      var answer = try correct(changed)
      (answer.gradients["x"], answer.gradients["other"]) = (answer.gradients["other"], answer.gradients["x"])
      return answer
    },
    answering("factor squared in the gradient") { answer, exercise in
      let alpha = alpha(of: exercise)
      answer.gradients.edit("other") { $0 = $0.map { alpha * $0 } }
    },
    answering("gradient of the branch without its factor") { answer, exercise in
      if answer.gradients["other"] != nil { answer.gradients["other"] = exercise.upstream["y"] }
    },
    answering("gradient of the shortcut with the branch's factor") { answer, exercise in
      let alpha = alpha(of: exercise)
      answer.gradients.edit("x") { $0 = $0.map { alpha * $0 } }
    },
  ])

  private static func alpha(of exercise: Exercise) -> Double {
    (try? exercise.attributes.real("alpha", default: 1)) ?? 1
  }

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .residual, [Self.name], change)
  }

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .residual, [Self.name], change) }

  private static func stateless(_ name: String, _ defect: @escaping Mutant.Defect) -> Mutant {
    .stateless(name, .residual, [Self.name], defect)
  }
}
