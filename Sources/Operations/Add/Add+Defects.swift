import Problems
import Tensors

extension Add {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("dropped term", "other") { Perturbation.zeroed($0) },
    .operand("shifted input") { Perturbation.rolled($0) },
  ])

  /// Mistakes that people make in the backward pass of a sum.
  public static let mutants: Applicable<[Mutant]> = .some([
    answering("gradient of the second summand dropped") { answer, _ in
      answer.gradients.edit("other") { $0 = $0.map { _ in 0 } }
    },
    answering("gradient of a sum doubled") { answer, _ in
      answer.gradients.edit("x") { $0 = $0.map { 2 * $0 } }
    },
  ])

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .linearAndLoss, [Self.name], change) }
}
