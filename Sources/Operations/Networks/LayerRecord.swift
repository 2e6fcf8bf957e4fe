import Problems
import Tensors

/// One layer as a forward pass met it: enough for its backward pass, and for judging it on its own.
public struct LayerRecord<Scalar: RealScalar>: Sendable {
  public let layer: NetworkLayer
  /// By name: `x`, and `other` of a layer with two inputs.
  public let inputs: [String: Tensor<Scalar>]
  public let y: Tensor<Scalar>
  /// The branches taken, of a layer that branches.
  public let gate: Gate?

  /// - Requires: a record that a forward pass made.
  public var x: Tensor<Scalar> { inputs["x"] ?? y }
}

/// What one layer's backward pass gives.
public struct LayerGradients<Scalar: RealScalar>: Sendable {
  /// By the layer's own names: `x`, `other`, `weight`, `bias`.
  public var byName: [String: Tensor<Scalar>]

  /// - Throws: ``ProblemError`` when there is none by that operand.
  func of(_ operand: String) throws(ProblemError) -> Tensor<Scalar> {
    guard let gradient = byName[operand] else {
      throw ProblemError(.invalidArgument, "gradients/\(operand)", expected: "a tensor", found: "none")
    }
    return gradient
  }
}

extension NetworkLayer {
  /// Computes the layer. Running statistics in `state` change in training.
  /// - Parameters:
  ///   - x: the input.
  ///   - other: the second input of a sum.
  ///   - state: parameters and running statistics, by name.
  ///   - gates: decide where a layer branches in place of its input, where they name the layer.
  ///   - threads: share the work; they change no bit.
  ///   - oracle: computes in the definition's place.
  /// - Throws: ``ProblemError`` when a tensor is missing or has the wrong shape.
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, other: Tensor<Scalar>? = nil, state: inout NetworkState<Scalar>, gates: Gates? = nil,
    threads: Int = 1, oracle: Oracle? = nil
  ) throws(ProblemError) -> LayerRecord<Scalar> {
    var inputs = ["x": x]
    inputs["other"] = other
    var given = try given(inputs, state: state, threads: threads)
    given.gate = gates?[name]
    given.oracle = oracle
    let found = try problem.definition.compute(given)
    guard let y = found.outputs["y"] else {
      throw ProblemError(.invalidArgument, name, expected: "a layer with the output y", found: problem.text)
    }
    state.take(found, of: name)
    return LayerRecord(layer: self, inputs: inputs, y: y, gate: found.gate)
  }

  /// The layer's operands: its inputs, and its own values of the state.
  /// - Throws: ``ProblemError`` when the state lacks one.
  func given<Scalar: RealScalar>(
    _ inputs: [String: Tensor<Scalar>], state: NetworkState<Scalar>, threads: Int = 1
  ) throws(ProblemError) -> Given<Scalar> {
    var given = Given(operands: inputs)
    let prefix = name.utf8.count + 1
    for parameter in parameters {
      given.operands[String(parameter.name.dropFirst(prefix))] = try state.parameter(parameter.name)
    }
    state.give(&given, to: name)
    given.threads = threads
    return given
  }
}

extension LayerRecord {
  /// The gradients of Σ y·dOutput.
  /// - Parameters:
  ///   - dOutput: the output's cotangent.
  ///   - state: as in the forward pass.
  ///   - gates: those of the forward pass, where it had any.
  ///   - threads: share the work; they change no bit.
  ///   - oracle: computes in the definition's place.
  /// - Throws: ``Problems/ProblemError`` when a tensor is missing or has the wrong shape.
  public func backward(
    _ dOutput: Tensor<Scalar>, state: NetworkState<Scalar>, gates: Gates? = nil, threads: Int = 1,
    oracle: Oracle? = nil
  ) throws(ProblemError) -> LayerGradients<Scalar> {
    var given = try layer.given(inputs, state: state, threads: threads)
    given.upstream = ["y": dOutput]
    given.wantsOutputs = false
    given.oracle = oracle
    // What the forward pass chose needs not be chosen again.
    given.gate = gates?[layer.name] ?? gate
    return LayerGradients(byName: try layer.problem.definition.compute(given).gradients)
  }
}
