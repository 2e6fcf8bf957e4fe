import Tensors

/// A defect that every corpus must notice, made by changing what the reference is given.
public struct Perturbation: Sendable {
  /// A correct implementation to ask.
  public typealias Oracle = Mutant.Compute

  public let name: String
  /// The changed exercise, with the reference to ask where the change depends on what an operand does; `nil` where there is
  /// nothing to change (a kernel of 1×1 cannot be flipped).
  public let apply: @Sendable (_ exercise: Exercise, _ oracle: Oracle) -> Exercise?

  public init(
    name: String, isOfCotangents: Bool = false,
    apply: @escaping @Sendable (_ exercise: Exercise, _ oracle: Oracle) -> Exercise?
  ) {
    self.name = name
    self.isOfCotangents = isOfCotangents
    self.apply = apply
  }

  /// Whether it is a defect of the backward pass alone, which no output can show.
  public var isOfCotangents: Bool

  /// Defects of a backward pass, whatever the operation: it has no part in the cotangents that it is given.
  ///
  /// A gradient of zeros would be noticed by whatever notices a doubled one: both are off by the gradient itself.
  public static let ofCotangents = [
    cotangents("doubled gradient") { $0.map { 2 * $0 } }, cotangents("cotangents of ones") { $0.map { _ in 1 } },
    cotangents("shifted cotangents") { rolled($0) }, cotangents("dropped cotangents") { everySecondDropped($0) },
  ]

  /// Changes the first parameter, by name, that the change applies to.
  public static func anyParameter(
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

  /// Changes one input or parameter.
  public static func operand(
    _ name: String, _ tensor: String = "x", _ change: @escaping @Sendable (Tensor<Double>) -> Tensor<Double>?
  ) -> Perturbation {
    Perturbation(name: name) { exercise, _ in
      let group = exercise.inputs[tensor] == nil ? \Exercise.parameters : \Exercise.inputs
      guard let old = exercise[keyPath: group][tensor]?.floating(as: Double.self), let new = change(old) else {
        return nil
      }
      var changed = exercise
      changed[keyPath: group][tensor] = .float64(new)
      return changed
    }
  }

  private static func cotangents(
    _ name: String, _ change: @escaping @Sendable (Tensor<Double>) -> Tensor<Double>?
  ) -> Perturbation {
    let apply: @Sendable (Exercise, Oracle) -> Exercise? = { exercise, _ in
      var changed = exercise
      for (output, tensor) in exercise.upstream {
        guard let old = tensor.floating(as: Double.self), let new = change(old) else { continue }
        changed.upstream[output] = .float64(new)
      }
      return changed
    }
    return Perturbation(name: name, isOfCotangents: true, apply: apply)
  }

  public static func zeroed(_ tensor: Tensor<Double>) -> Tensor<Double>? {
    tensor.count == 0 ? nil : tensor.map { _ in 0 }
  }

  /// Kernel rows and columns in reverse.
  public static func flipped(_ weight: Tensor<Double>) -> Tensor<Double>? {
    let taps = weight.shape.dimensions.suffix(2).reduce(1, *)
    guard weight.shape.rank == 4, taps > 1 else { return nil }
    var changed = weight
    for first in stride(from: 0, to: weight.count, by: taps) {
      changed.elements.replaceSubrange(first..<first + taps, with: weight.elements[first..<first + taps].reversed())
    }
    return changed
  }

  public static func lastTapDropped(_ weight: Tensor<Double>) -> Tensor<Double>? {
    let taps = weight.shape.dimensions.suffix(2).reduce(1, *)
    guard weight.shape.rank == 4, taps > 0, weight.count > 0 else { return nil }
    var changed = weight
    for last in stride(from: taps - 1, to: weight.count, by: taps) { changed.elements[last] = 0 }
    return changed
  }

  public static func lastColumnDropped(_ weight: Tensor<Double>) -> Tensor<Double>? {
    guard weight.shape.rank == 2, weight.count > 0 else { return nil }
    var changed = weight
    for last in stride(from: weight.shape[1] - 1, to: weight.count, by: weight.shape[1]) { changed.elements[last] = 0 }
    return changed
  }

  /// Everything one place further along the innermost axis that has more than one place.
  public static func rolled(_ tensor: Tensor<Double>) -> Tensor<Double>? {
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
}
