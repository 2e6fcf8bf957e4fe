import Problems
import Tensors

extension Linear {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("flipped weight", "weight") { Perturbation.rolled($0) },
    .operand("shifted input") { Perturbation.rolled($0) },
    .operand("dropped term", "weight") { Perturbation.lastColumnDropped($0) },
    .operand("dropped bias", "bias") { Perturbation.zeroed($0) },
  ])

  /// Mistakes that people make in linear layers.
  public static let mutants: Applicable<[Mutant]> = .some(
    own + Mutant.hiddenByRandomValues(of: name, called: "linear layer", .linearAndLoss))

  private static let own: [Mutant] = [
    .cutOff("sums over features cut off", name),
    .split("a linear layer of two terms of bf16", name, bits: 8, terms: 2),
    .summedInSixteenBits("sums over features kept in 16 bits", name, ["outputs/y"]),
    .summedInSixteenBits("sums of a linear layer's dW kept in 16 bits", name, ["gradients/weight"]),
    .splitInSixteenBits("sums over features rounded by halves", name),
    asking("weight not transposed") { $0.parameters.edit("weight") { $0 = misread($0) } },
    answering("dW transposed") { answer, _ in answer.gradients.edit("weight") { $0 = misread($0) } },
    answering("db without the sum over the batch") { answer, exercise in
      guard let dy = exercise.upstream["y"]?.doubles, dy.shape[0] > 0 else { return }
      answer.gradients.edit("bias") { db in
        for o in db.elements.indices { db.elements[o] = dy.elements[o] }
      }
    },
    asking("last feature dropped") { exercise in
      exercise.inputs.edit("x") { x in x = x.indexed { $0[1] == x.shape[1] - 1 ? 0 : $1 } }
    },
    asking("inputs rounded to TF32 in the linear layer") { exercise in
      exercise.inputs.edit("x") { $0 = $0.rounded(toBits: 11) }
      exercise.parameters.edit("weight") { $0 = $0.rounded(toBits: 11) }
    },
  ]

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .linearAndLoss, [Self.name], change)
  }

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .linearAndLoss, [Self.name], change) }

  /// Row-major elements under the other reading of a matrix: what a missing transposition does to memory.
  private static func misread(_ matrix: Tensor<Double>) -> Tensor<Double> {
    guard matrix.shape.rank == 2 else { return matrix }
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    return Tensor(
      shape: matrix.shape,
      elements: matrix.elements.indices.map { matrix.elements[$0 % columns * rows + $0 / columns] })
  }
}
