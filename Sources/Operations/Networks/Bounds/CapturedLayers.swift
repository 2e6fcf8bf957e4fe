import Problems
import Tensors

/// What each layer of a network met in the undisturbed float64 run: enough to ask for it on its own.
public struct CapturedLayers: Sendable {
  /// In the order of computation.
  public let layers: [LayerRecord<Double>]
  /// Gradients by the layers' outputs; empty where no backward pass was asked for.
  public let cotangents: [String: Tensor<Double>]
  /// The running statistics before the run. Parameters are whoever's asked for the run: a copy would be as large as the network.
  public let state: NetworkState<Double>
}

extension LayerRecord where Scalar == Double {
  /// The layer as an exercise of its own, in double precision.
  public func exercise(dOutput: Tensor<Double>?, state: NetworkState<Double>) -> Exercise {
    // What a state lacks is not asked for.
    var given = (try? layer.given(inputs, state: state)) ?? Given(operands: inputs)
    given.upstream = dOutput.map { ["y": $0] } ?? [:]
    return Exercise(layer.problem, given, named: layer.name)
  }
}
