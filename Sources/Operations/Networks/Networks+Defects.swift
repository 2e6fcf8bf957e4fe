import Engines
import Problems
import Tensors

/// Mistakes that people make when they put correct layers together.
enum ResidualMutants {
  private static let blocks = ["basic_block", "bottleneck"]

  static let all: [Mutant] = gradients + composition

  /// The cotangent behind the last ReLU.
  private static func joint(_ answer: Answer, _ exercise: Exercise) -> Tensor<Double>? {
    guard let y = answer.outputs["y"]?.doubles, let dy = exercise.upstream["y"]?.doubles, y.shape == dy.shape else {
      return nil
    }
    return Tensor(shape: y.shape, elements: zip(y.elements, dy.elements).map { $0 > 0 ? $1 : 0 })
  }

  private static func hasIdentity(_ exercise: Exercise) -> Bool {
    exercise.parameters["downsample.0.weight"] == nil
  }

  private static func skipGradient(_ name: String, factor: Double) -> Mutant {
    .answering(name, .residual, blocks) { answer, exercise in
      guard hasIdentity(exercise), let joint = joint(answer, exercise) else { return }
      answer.gradients.edit("x") { dx in
        guard dx.shape == joint.shape else { return }
        dx = Tensor(shape: dx.shape, elements: zip(dx.elements, joint.elements).map { $0 + factor * $1 })
      }
    }
  }

  private static let gradients: [Mutant] = [
    skipGradient("skip dropped in the backward pass", factor: -1),
    skipGradient("skip counted twice in the backward pass", factor: 1),
    .answering("gradient of the projection dropped", .residual, blocks) { answer, _ in
      answer.gradients.edit("downsample.0.weight") { $0 = $0.map { _ in 0 } }
    },
    .answering("gradient of the second batch norm doubled", .residual, blocks) { answer, _ in
      answer.gradients.edit("bn2.weight") { $0 = $0.map { 2 * $0 } }
    },
    .answering("running statistics of the last batch norm not updated", .residual, blocks) { answer, exercise in
      for name in ["bn2.running_mean", "bn2.running_var"] where answer.buffersAfter[name] != nil {
        answer.buffersAfter[name] = exercise.buffers[name]
      }
    },
  ]

  /// A block put together from the correct layers of the engine, in a chosen order.
  private struct Composition {
    let exercise: Exercise
    let correct: Mutant.Compute

    func layer(
      _ operation: String, _ name: String, _ x: AnyTensor, _ attributes: [String: AttributeValue] = [:],
      other: AnyTensor? = nil
    ) throws(EngineError) -> AnyTensor {
      var part = Exercise(
        name: exercise.name, operation: operation, attributes: Attributes(attributes), inputs: ["x": x],
        dtype: exercise.dtype)
      part.inputs["other"] = other
      for suffix in ["weight", "bias"] { part.parameters[suffix] = exercise.parameters["\(name).\(suffix)"] }
      for suffix in ["running_mean", "running_var"] { part.buffers[suffix] = exercise.buffers["\(name).\(suffix)"] }
      guard let y = try correct(part).outputs["y"] else { throw .failed("no output of \(name)") }
      return y
    }

    func conv(_ name: String, _ x: AnyTensor, stride: Int, padding: Int, _ more: [String: AttributeValue] = [:])
      throws(EngineError) -> AnyTensor
    {
      try layer(
        "conv2d", name, x,
        ["stride": .integer(stride), "padding": .integer(padding)].merging(more) { _, new in new })
    }

    func norm(_ name: String, _ x: AnyTensor) throws(EngineError) -> AnyTensor {
      let training = (try? exercise.attributes.boolean("training", default: false)) ?? false
      return try layer("batch_norm2d", name, x, ["training": .boolean(training)])
    }

    func relu(_ x: AnyTensor) throws(EngineError) -> AnyTensor { try layer("relu", "", x) }

    var stride: Int { (try? exercise.attributes.integer("stride", default: 1)) ?? 1 }

    func shortcut(_ x: AnyTensor, stride: Int) throws(EngineError) -> AnyTensor {
      guard !hasIdentity(exercise) else { return x }
      return try norm("downsample.1", conv("downsample.0", x, stride: stride, padding: 0))
    }

    /// - Parameter strideOn: the convolution that has the stride, from 1.
    func branch(_ x: AnyTensor, strideOn: Int) throws(EngineError) -> AnyTensor {
      func stride(_ conv: Int) -> Int { conv == strideOn ? self.stride : 1 }
      guard exercise.operation == "bottleneck" else {
        let first = try relu(norm("bn1", conv("conv1", x, stride: stride(1), padding: 1)))
        return try norm("bn2", conv("conv2", first, stride: stride(2), padding: 1))
      }
      let dilation = (try? exercise.attributes.integer("dilation", default: 1)) ?? 1
      let groups = (try? exercise.attributes.integer("groups", default: 1)) ?? 1
      let first = try relu(norm("bn1", conv("conv1", x, stride: stride(1), padding: 0)))
      let second = try conv(
        "conv2", first, stride: stride(2), padding: dilation,
        ["dilation": .integer(dilation), "groups": .integer(groups)])
      return try norm("bn3", conv("conv3", relu(norm("bn2", second)), stride: stride(3), padding: 0))
    }

    var correctStride: Int { exercise.operation == "bottleneck" ? 2 : 1 }

    func sum(_ a: AnyTensor, _ b: AnyTensor) throws(EngineError) -> AnyTensor {
      guard a.shape == b.shape else { throw .failed("\(a.shape) and \(b.shape) do not add") }
      return try layer("add", "", a, other: b)
    }
  }

  private static func composed(
    _ name: String, _ operations: [String] = blocks,
    _ forward: @escaping @Sendable (Composition, AnyTensor) throws(EngineError) -> AnyTensor
  ) -> Mutant {
    .stateless(name, .residual, operations) { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let x = exercise.inputs["x"] else { return answer }
      answer.outputs["y"] = try forward(Composition(exercise: exercise, correct: correct), x)
      return answer
    }
  }

  /// The same composition without a defect, which must not be noticed: the mutants beside it die of their defect alone.
  static let control = composed("control: composed correctly") { (block, x) throws(EngineError) in
    try block.relu(
      block.sum(block.branch(x, strideOn: block.correctStride), block.shortcut(x, stride: block.stride)))
  }

  private static let composition: [Mutant] = [
    composed("ReLU before the sum") { (block, x) throws(EngineError) in
      try block.sum(
        block.relu(block.branch(x, strideOn: block.correctStride)), block.shortcut(x, stride: block.stride))
    },
    composed("no ReLU after the sum") { (block, x) throws(EngineError) in
      try block.sum(block.branch(x, strideOn: block.correctStride), block.shortcut(x, stride: block.stride))
    },
    composed("shortcut dropped") { (block, x) throws(EngineError) in
      try block.relu(block.branch(x, strideOn: block.correctStride))
    },
    composed("stride on the first convolution of the bottleneck", ["bottleneck"]) { (block, x) throws(EngineError) in
      try block.relu(block.sum(block.branch(x, strideOn: 1), block.shortcut(x, stride: block.stride)))
    },
    composed("projection without its stride") { (block, x) throws(EngineError) in
      let branch = try block.branch(x, strideOn: block.correctStride)
      let wide = try block.shortcut(x, stride: 1)
      // Too large a shortcut is cut to the branch's size.
      return try block.relu(block.sum(branch, wide.edited { $0 = $0.gathered(branch.shape) { $0 } }))
    },
    .asking("evaluation in place of training", .residual, blocks) { $0.attributes["training"] = .boolean(false) },
    .asking("wrong block count", .residual, ["resnet"]) { exercise in
      // The last block of the last stage keeps its shapes, and is left out.
      guard case .string(let name)? = exercise.attributes["architecture"], name.hasPrefix("cifar_resnet"),
        let depth = Int(name.dropFirst(12)), depth > 8
      else { return }
      exercise.attributes["architecture"] = .string("cifar_resnet\(depth - 6)")
    },
    .answering("logits of the images exchanged", .residual, ["resnet"]) { answer, _ in
      answer.outputs.edit("logits") { logits in
        logits = logits.gathered { [logits.shape[0] - 1 - $0[0], $0[1]] }
      }
    },
  ]
}
