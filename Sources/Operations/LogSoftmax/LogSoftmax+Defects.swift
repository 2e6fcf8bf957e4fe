import Problems
import Tensors

extension LogSoftmax {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("shifted input") { Perturbation.rolled($0) }
  ])

  /// Mistakes that people make in the logarithm of softmax.
  public static let mutants: Applicable<[Mutant]> = .some([
    .unshifted(in: name),
    .answering("gradient without the sum of cotangents", .linearAndLoss, [name]) { answer, exercise in
      guard let dy = exercise.upstream["y"]?.doubles else { return }
      answer.gradients.edit("x") { $0 = dy }
    },
  ])
}
