import Problems
import Tensors

/// Mistakes that people make when they put correct layers together to the block that is named.
struct BlockDefects {
  let operation: String
  /// The number of the convolution that has the stride, from 1.
  let strided: Int
  let branch: Branch

  /// The layers beside the shortcut.
  /// - Parameter strided: the number of the convolution that has the stride, from 1.
  typealias Branch =
    @Sendable (_ block: BlockComposition, _ x: AnyTensor, _ strided: Int) throws(EngineError) -> AnyTensor

  static let perturbations: [Perturbation] = [
    .operand("shifted input") { Perturbation.rolled($0) },
    .anyParameter("flipped kernel") { Perturbation.flipped($0) },
    .anyParameter("dropped term") { Perturbation.lastTapDropped($0) },
  ]

  var all: [Mutant] { gradients + composition }

  // MARK: Backward

  /// The cotangent behind the last ReLU.
  private static func joint(_ answer: Answer, _ exercise: Exercise) -> Tensor<Double>? {
    guard let y = answer.outputs["y"]?.doubles, let dy = exercise.upstream["y"]?.doubles, y.shape == dy.shape else {
      return nil
    }
    return Tensor(shape: y.shape, elements: zip(y.elements, dy.elements).map { $0 > 0 ? $1 : 0 })
  }

  private func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .residual, [operation], change) }

  private func skipGradient(_ name: String, factor: Double) -> Mutant {
    answering(name) { answer, exercise in
      guard exercise.hasIdentityShortcut, let joint = Self.joint(answer, exercise) else { return }
      answer.gradients.edit("x") { dx in
        guard dx.shape == joint.shape else { return }
        dx = Tensor(shape: dx.shape, elements: zip(dx.elements, joint.elements).map { $0 + factor * $1 })
      }
    }
  }

  private var gradients: [Mutant] {
    [
      skipGradient("skip dropped in the backward pass", factor: -1),
      skipGradient("skip counted twice in the backward pass", factor: 1),
      answering("gradient of the projection dropped") { answer, _ in
        answer.gradients.edit("downsample.0.weight") { $0 = $0.map { _ in 0 } }
      },
      answering("gradient of the second batch norm doubled") { answer, _ in
        answer.gradients.edit("bn2.weight") { $0 = $0.map { 2 * $0 } }
      },
      answering("running statistics of the last batch norm not updated") { answer, exercise in
        for name in ["bn2.running_mean", "bn2.running_var"] where answer.buffersAfter[name] != nil {
          answer.buffersAfter[name] = exercise.buffers[name]
        }
      },
    ]
  }

  // MARK: Composition

  func composed(
    _ name: String, _ forward: @escaping @Sendable (BlockComposition, AnyTensor) throws(EngineError) -> AnyTensor
  ) -> Mutant {
    .stateless(name, .residual, [operation]) { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let x = exercise.inputs["x"] else { return answer }
      answer.outputs["y"] = try forward(BlockComposition(exercise: exercise, correct: correct), x)
      return answer
    }
  }

  /// The same composition without a defect, which must not be noticed: the mutants beside it die of their defect alone.
  var control: Mutant {
    composed("control: composed correctly") { (block, x) throws(EngineError) in
      try block.relu(block.sum(branch(block, x, strided), block.shortcut(x, stride: block.stride)))
    }
  }

  private var composition: [Mutant] {
    [
      composed("ReLU before the sum") { (block, x) throws(EngineError) in
        try block.sum(block.relu(branch(block, x, strided)), block.shortcut(x, stride: block.stride))
      },
      composed("no ReLU after the sum") { (block, x) throws(EngineError) in
        try block.sum(branch(block, x, strided), block.shortcut(x, stride: block.stride))
      },
      composed("shortcut dropped") { (block, x) throws(EngineError) in
        try block.relu(branch(block, x, strided))
      },
      composed("projection without its stride") { (block, x) throws(EngineError) in
        let sum = try branch(block, x, strided)
        let wide = try block.shortcut(x, stride: 1)
        // Too large a shortcut is cut to the branch's size.
        return try block.relu(block.sum(sum, wide.edited { $0 = $0.gathered(sum.shape) { $0 } }))
      },
      .asking("evaluation in place of training", .residual, [operation]) { exercise in
        exercise.attributes["training"] = .boolean(false)
      },
    ]
  }
}
