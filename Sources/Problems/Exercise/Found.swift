import Tensors

/// What the generic implementation of an operation gives for what it is ``Given``.
public struct Found<Scalar: RealScalar>: Sendable {
  public var outputs: [String: Tensor<Scalar>]
  /// Outputs that are integers.
  public var integers: [String: Tensor<Int64>] = [:]
  /// By operand.
  public var gradients: [String: Tensor<Scalar>] = [:]
  public var buffersAfter: [String: Tensor<Scalar>] = [:]
  /// Buffers that are integers.
  public var countersAfter: [String: Tensor<Int64>] = [:]
  /// The branches taken, of an operation that branches.
  public var gate: Gate?

  public init(outputs: [String: Tensor<Scalar>] = [:]) { self.outputs = outputs }

  /// The one output of an operation that has no other.
  public init(y: Tensor<Scalar>?) {
    outputs = [:]
    outputs["y"] = y
  }
}

extension Found {
  /// Every floating-point result by its path in the golden format: `outputs/y`, `gradients/weight`, `buffers_after/running_mean`.
  public var byPath: [String: Tensor<Scalar>] {
    var all: [String: Tensor<Scalar>] = [:]
    for (name, tensor) in outputs { all["outputs/\(name)"] = tensor }
    for (name, tensor) in gradients { all["gradients/\(name)"] = tensor }
    for (name, tensor) in buffersAfter { all["buffers_after/\(name)"] = tensor }
    return all
  }

  public subscript(path: String) -> Tensor<Scalar>? {
    let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return nil }
    return switch TensorGroup(rawValue: parts[0]) {
    case .outputs: outputs[parts[1]]
    case .gradients: gradients[parts[1]]
    case .buffersAfter: buffersAfter[parts[1]]
    default: nil
    }
  }
}

extension Answer {
  /// The one place where tensors of one scalar type become an answer.
  public init<Scalar: StoredScalar>(_ found: Found<Scalar>) {
    self.init(
      outputs: found.outputs.mapValues(Scalar.stored), gradients: found.gradients.mapValues(Scalar.stored),
      buffersAfter: found.buffersAfter.mapValues(Scalar.stored))
    for (name, tensor) in found.integers { outputs[name] = .int64(tensor) }
    for (name, tensor) in found.countersAfter { buffersAfter[name] = .int64(tensor) }
  }
}
