import Problems
import Tensors

extension SGDStep {
  public static let perturbations: Applicable<[Perturbation]> = .some(OptimizerDefects.perturbations)

  /// Mistakes that people make in momentum, beside those that they make in every optimiser.
  public static let mutants: Applicable<[Mutant]> = .some(momentum + defects.common(learningRate: 0))

  private static let defects = OptimizerDefects(operation: name)

  private static let momentum: [Mutant] = [
    defects.asking("Nesterov ignored") { $0.attributes["nesterov"] = .boolean(false) },
    defects.asking("dampening on the first step too") { exercise in
      let dampening = OptimizerDefects.real(exercise, "dampening", 0)
      guard OptimizerDefects.real(exercise, "momentum", 0) != 0, dampening != 0, let p = exercise.parameters["p"]?.shape
      else { return }
      exercise.inputs.edit("gradients") { gradients in
        for i in 0..<min(p.count, gradients.count) { gradients.elements[i] *= 1 - dampening }
      }
    },
    defects.asking("dampening ignored") { $0.attributes["dampening"] = .real(0) },
    defects.asking("momentum buffer forgotten") { exercise in
      exercise.attributes["momentum"] = .real(0)
      exercise.attributes["nesterov"] = .boolean(false)
    },
  ]
}
