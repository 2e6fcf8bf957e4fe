import Engines
import Tensors

/// A defect that every corpus must notice, made by changing what the reference is given.
struct Perturbation: Sendable {
  let name: String
  /// The changed exercise, with the reference to ask where the change depends on what an operand does; `nil` where there is
  /// nothing to change (a kernel of 1×1 cannot be flipped).
  let apply: @Sendable (_ exercise: Exercise, _ oracle: any Engine) -> Exercise?

  /// Whether it is a defect of the backward pass alone, which no output can show.
  var isOfCotangents = false

  /// Defects of a backward pass, whatever the operation: it has no part in the cotangents that it is given.
  ///
  /// A gradient of zeros would be noticed by whatever notices a doubled one: both are off by the gradient itself.
  static let ofCotangents = [
    cotangents("doubled gradient") { $0.map { 2 * $0 } }, cotangents("cotangents of ones") { $0.map { _ in 1 } },
    cotangents("shifted cotangents") { rolled($0) }, cotangents("dropped cotangents") { everySecondDropped($0) },
  ]

  /// The perturbations of an operation; empty where none is defined.
  static func ofOperands(of operation: String) -> [Perturbation] {
    switch operation {
    case "conv2d":
      [
        parameter("flipped kernel", "weight") { flipped($0) }, input("shifted window") { rolled($0) },
        parameter("dropped term", "weight") { lastTapDropped($0) }, parameter("dropped bias", "bias") { zeroed($0) },
      ]
    case "linear":
      [
        parameter("flipped weight", "weight") { rolled($0) }, input("shifted input") { rolled($0) },
        parameter("dropped term", "weight") { lastColumnDropped($0) },
        parameter("dropped bias", "bias") { zeroed($0) },
      ]
    case "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d":
      [input("shifted window") { rolled($0) }, Perturbation(name: "dropped term", apply: greatestDropped)]
    case "batch_norm2d":
      [
        input("shifted input") { rolled($0) }, parameter("dropped weight", "weight") { $0.map { _ in 1 } },
        parameter("dropped bias", "bias") { zeroed($0) },
      ]
    case "relu":
      [
        Perturbation(name: "gate dropped") { exercise, _ in
          var changed = exercise
          changed.operation = "identity"
          return changed
        }, input("shifted input") { rolled($0) },
      ]
    case "add": [input("dropped term", "other") { zeroed($0) }, input("shifted input") { rolled($0) }]
    case "identity", "dropout", "flatten", "softmax", "log_softmax", "upsample2d":
      [input("shifted input") { rolled($0) }]
    case "cross_entropy":
      [input("shifted input") { rolled($0) }, parameter("dropped class weight", "weight") { $0.map { _ in 1 } }]
    case "basic_block", "bottleneck", "residual_block":
      [
        input("shifted input") { rolled($0) }, anyParameter("flipped kernel") { flipped($0) },
        anyParameter("dropped term") { lastTapDropped($0) },
      ]
    case "sgd_step", "adam_step", "adamw_step": [input("shifted gradients", "gradients") { rolled($0) }]
    default: []
    }
  }

  /// Changes the first parameter, by name, that the change applies to.
  private static func anyParameter(
    _ name: String, _ change: @escaping @Sendable (Tensor<Double>) -> Tensor<Double>?
  ) -> Perturbation {
    Perturbation(name: name) { exercise, _ in
      for (parameter, tensor) in exercise.parameters.sorted(by: { $0.key < $1.key }) {
        guard let old = tensor.floating(as: Double.self), let new = change(old) else { continue }
        var changed = exercise
        changed.parameters[parameter] = .float64(new)
        return changed
      }
      return nil
    }
  }

  private static func input(
    _ name: String, _ tensor: String = "x", _ change: @escaping @Sendable (Tensor<Double>) -> Tensor<Double>?
  ) -> Perturbation {
    Perturbation(name: name) { exercise, _ in
      guard let old = exercise.inputs[tensor]?.floating(as: Double.self), let new = change(old) else { return nil }
      var changed = exercise
      changed.inputs[tensor] = .float64(new)
      return changed
    }
  }

  private static func parameter(
    _ name: String, _ tensor: String, _ change: @escaping @Sendable (Tensor<Double>) -> Tensor<Double>?
  ) -> Perturbation {
    Perturbation(name: name) { exercise, _ in
      guard let old = exercise.parameters[tensor]?.floating(as: Double.self), let new = change(old) else { return nil }
      var changed = exercise
      changed.parameters[tensor] = .float64(new)
      return changed
    }
  }

  private static func cotangents(
    _ name: String, _ change: @escaping @Sendable (Tensor<Double>) -> Tensor<Double>?
  ) -> Perturbation {
    let apply: @Sendable (Exercise, any Engine) -> Exercise? = { exercise, _ in
      var changed = exercise
      for (output, tensor) in exercise.upstream {
        guard let old = tensor.floating(as: Double.self), let new = change(old) else { continue }
        changed.upstream[output] = .float64(new)
      }
      return changed
    }
    return Perturbation(name: name, apply: apply, isOfCotangents: true)
  }

  private static func zeroed(_ tensor: Tensor<Double>) -> Tensor<Double>? {
    tensor.count == 0 ? nil : tensor.map { _ in 0 }
  }

  /// Kernel rows and columns in reverse.
  private static func flipped(_ weight: Tensor<Double>) -> Tensor<Double>? {
    let taps = weight.shape.dimensions.suffix(2).reduce(1, *)
    guard weight.shape.rank == 4, taps > 1 else { return nil }
    var changed = weight
    for first in stride(from: 0, to: weight.count, by: taps) {
      changed.elements.replaceSubrange(first..<first + taps, with: weight.elements[first..<first + taps].reversed())
    }
    return changed
  }

  private static func lastTapDropped(_ weight: Tensor<Double>) -> Tensor<Double>? {
    let taps = weight.shape.dimensions.suffix(2).reduce(1, *)
    guard weight.shape.rank == 4, taps > 0, weight.count > 0 else { return nil }
    var changed = weight
    for last in stride(from: taps - 1, to: weight.count, by: taps) { changed.elements[last] = 0 }
    return changed
  }

  private static func lastColumnDropped(_ weight: Tensor<Double>) -> Tensor<Double>? {
    guard weight.shape.rank == 2, weight.count > 0 else { return nil }
    var changed = weight
    for last in stride(from: weight.shape[1] - 1, to: weight.count, by: weight.shape[1]) { changed.elements[last] = 0 }
    return changed
  }

  /// Everything one place further along the innermost axis that has more than one place.
  private static func rolled(_ tensor: Tensor<Double>) -> Tensor<Double>? {
    guard tensor.count > 0, let axis = (0..<tensor.shape.rank).last(where: { tensor.shape[$0] > 1 }) else { return nil }
    let inner = tensor.shape.dimensions[(axis + 1)...].reduce(1, *)
    let block = tensor.shape[axis] * inner
    var changed = tensor
    for offset in tensor.elements.indices {
      let start = offset / block * block
      changed.elements[offset] = tensor.elements[start + (offset - start + block - inner) % block]
    }
    return changed
  }

  /// Every second element becomes 0: more than one, since what a closed gate hides is no term of a gradient.
  private static func everySecondDropped(_ tensor: Tensor<Double>) -> Tensor<Double>? {
    var changed = tensor
    for offset in stride(from: 1, to: tensor.count, by: 2) { changed.elements[offset] = 0 }
    return changed
  }

  /// The greatest element that reaches an output takes the least one's value: windows may leave rows and columns out, and
  /// what no window holds is not a term.
  private static func greatestDropped(_ exercise: Exercise, _ oracle: any Engine) -> Exercise? {
    var asked = exercise
    asked.passes = [.forward, .backward]
    asked.wanted = ["gradients/x"]
    guard let x = exercise.inputs["x"]?.floating(as: Double.self), let least = x.elements.min(),
      let problem = (try? exercise.problem()) ?? nil, let output = problem.outputs["y"]
    else { return nil }
    asked.upstream = ["y": .float64(Tensor(shape: output.shape, repeating: 1))]
    guard let reached = try? oracle.compute(asked).gradients["x"]?.doubles.elements,
      let greatest = x.elements.indices.filter({ reached[$0] != 0 }).max(by: { x.elements[$0] < x.elements[$1] })
    else { return nil }
    var dropped = x
    dropped.elements[greatest] = least
    var changed = exercise
    changed.inputs["x"] = .float64(dropped)
    return changed
  }
}
