import Problems
import Tensors

extension ResNet {
  public static let perturbations: Applicable<[Perturbation]> =
    .none(because: "the corpora of its layers and blocks must notice theirs")

  /// Mistakes that people make when they put blocks together.
  public static let mutants: Applicable<[Mutant]> = .some([
    .asking("wrong block count", .residual, [name]) { exercise in
      // The last block of the last stage keeps its shapes, and is left out.
      guard case .string(let name)? = exercise.attributes["architecture"], name.hasPrefix("cifar_resnet"),
        let depth = Int(name.dropFirst(12)), depth > 8
      else { return }
      exercise.attributes["architecture"] = .string("cifar_resnet\(depth - 6)")
    },
    .answering("logits of the images exchanged", .residual, [name]) { answer, _ in
      answer.outputs.edit("logits") { logits in
        logits = logits.gathered { [logits.shape[0] - 1 - $0[0], $0[1]] }
      }
    },
  ])
}
