import Engines
import Tensors

/// A defect that every corpus must notice, made by changing what the reference is given.
struct Perturbation: Sendable {
  let name: String
  /// The changed exercise; `nil` where the defect cannot show (a kernel of 1×1 cannot be flipped).
  let apply: @Sendable (Exercise) -> Exercise?

  /// The perturbations of an operation; empty where none is defined.
  static func all(for operation: String) -> [Perturbation] {
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
      [input("shifted window") { rolled($0) }, input("dropped term") { greatestDropped($0) }]
    case "batch_norm2d":
      [
        input("shifted input") { rolled($0) }, parameter("dropped weight", "weight") { $0.map { _ in 1 } },
        parameter("dropped bias", "bias") { zeroed($0) },
      ]
    case "relu":
      [
        Perturbation(name: "gate dropped") { exercise in
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
    Perturbation(name: name) { exercise in
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
    Perturbation(name: name) { exercise in
      guard let old = exercise.inputs[tensor]?.floating(as: Double.self), let new = change(old) else { return nil }
      var changed = exercise
      changed.inputs[tensor] = .float64(new)
      return changed
    }
  }

  private static func parameter(
    _ name: String, _ tensor: String, _ change: @escaping @Sendable (Tensor<Double>) -> Tensor<Double>?
  ) -> Perturbation {
    Perturbation(name: name) { exercise in
      guard let old = exercise.parameters[tensor]?.floating(as: Double.self), let new = change(old) else { return nil }
      var changed = exercise
      changed.parameters[tensor] = .float64(new)
      return changed
    }
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

  /// The greatest element takes the least one's value.
  private static func greatestDropped(_ tensor: Tensor<Double>) -> Tensor<Double>? {
    guard tensor.count > 1, let least = tensor.elements.min(),
      let greatest = tensor.elements.indices.max(by: { tensor.elements[$0] < tensor.elements[$1] })
    else { return nil }
    var changed = tensor
    changed.elements[greatest] = least
    return changed
  }
}
