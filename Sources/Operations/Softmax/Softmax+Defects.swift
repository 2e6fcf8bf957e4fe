import Problems
import Tensors

extension Softmax {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("shifted input") { Perturbation.rolled($0) }
  ])

  /// Mistakes that people make in softmax.
  public static let mutants: Applicable<[Mutant]> = .some([
    .unshifted(in: name),
    .summedInSixteenBits("sum of exponentials kept in 16 bits", name, ["outputs/y"]),
    answering("gradient of the diagonal alone") { answer, exercise in
      guard let y = answer.outputs["y"]?.doubles.elements, let dy = exercise.upstream["y"]?.doubles.elements else {
        return
      }
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices { dx.elements[i] = dy[i] * y[i] * (1 - y[i]) }
      }
    },
    answering("exponential by a low-order polynomial") { answer, _ in
      answer.outputs.edit("y") { $0 = $0.map { $0 * (1 + 1e-4 * $0) } }
    },
  ])

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .linearAndLoss, [Self.name], change) }
}

extension Mutant {
  /// In whatever exponentiates logits.
  static func unshifted(in operation: String) -> Mutant {
    .answering("no shift by the maximum", .linearAndLoss, [operation]) { answer, exercise in
      guard let x = exercise.inputs["x"]?.doubles else { return }
      let limit = exercise.dtype == .float32 ? 88.0 : 709.0
      // exp overflows somewhere, and ∞/∞ follows.
      guard x.elements.contains(where: { $0 > limit }) else { return }
      for name in ["y", "loss"] { answer.outputs.edit(name) { $0 = $0.map { _ in .nan } } }
    }
  }
}
