import Engines
import Problems
import Operations
import Tensors

/// What each layer of a network met in the undisturbed float64 run: enough to ask for it on its own.
public struct CapturedLayers: Sendable {
  /// In the order of computation.
  let layers: [LayerRecord<Double>]
  /// Gradients by the layers' outputs; empty where no backward pass was asked for.
  let cotangents: [String: Tensor<Double>]
  /// Before the run.
  let state: NetworkState<Double>
}

extension LayerRecord where Scalar == Double {
  /// The layer as an exercise of its own, in double precision.
  func exercise(dOutput: Tensor<Double>?, state: NetworkState<Double>) -> Exercise {
    var inputs = ["x": AnyTensor.float64(x)]
    if let other { inputs["other"] = .float64(other) }
    var parameters: [String: AnyTensor] = [:]
    for name in ["weight", "bias"] {
      if let tensor = state.parameters["\(layer.name).\(name)"] { parameters[name] = .float64(tensor) }
    }
    var buffers: [String: AnyTensor] = [:]
    if let statistics = state.buffers[layer.name] {
      buffers = ["running_mean": .float64(statistics.runningMean), "running_var": .float64(statistics.runningVariance)]
      if let count = statistics.batchesTracked {
        buffers["num_batches_tracked"] = .int64(Tensor(shape: [], elements: [count]))
      }
    }
    let problem = layer.problem
    return Exercise(
      name: layer.name, operation: type(of: problem).operation, attributes: problem.attributes, inputs: inputs,
      parameters: parameters, buffers: buffers, upstream: dOutput.map { ["y": .float64($0)] } ?? [:],
      dtype: .float64, passes: dOutput == nil ? [.forward] : [.forward, .backward])
  }
}
