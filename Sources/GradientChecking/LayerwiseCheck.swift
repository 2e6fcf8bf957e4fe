import Problems
import Results
import Tensors

/// A layer as a network meets it.
struct CapturedLayer: Sendable {
  let layer: NetworkLayer
  /// `x`, `other`, `weight`, `bias`, `running_mean`, `running_var`: those that it has.
  let operands: NamedTensors
  /// Of its output.
  let cotangent: Tensor<Double>
}

/// Each layer of a network on its own, at the activations and cotangents that it has there: a wrong backward pass of one
/// layer spoils the gradients of all layers before it, but on its own only the layer at fault disagrees.
struct LayerwiseCheck: Sendable {
  let network: ReferenceNetwork
  var precision: DType = .float64
  /// How the engine under test computes convolutions.
  var algorithms: Set<String> = []
  /// The backward pass under test of one layer.
  let backward:
    @Sendable (_ layer: NetworkLayer, _ operands: NamedTensors, _ upstream: NamedTensors) throws -> NamedTensors

  /// - Returns: one record for each layer at fault, in the order of the layers.
  func run(
    at point: NamedTensors, upstream: NamedTensors, options: GradientCheck.Options
  ) throws -> [GradientContractRecord] {
    try network.captured(at: point, upstream: upstream).compactMap { captured in
      let record = check(captured, options: options).run()
      guard record.verdict == .fail || record.verdict == .error else { return nil }
      let bad = record.tensors.filter { $0.verdict == .fail }.map { tensor in
        "gradient of \(tensor.tensor): " + (tensor.pattern ?? tensor.reason ?? "wrong")
      }
      return GradientContractRecord(
        name: "layer \(captured.layer.name)", verdict: .fail,
        detail: bad.isEmpty ? record.reason : bad.joined(separator: "; "))
    }
  }

  private func check(_ captured: CapturedLayer, options: GradientCheck.Options) -> GradientCheck {
    let layer = captured.layer
    // In single precision every engine starts from the same numbers, and so does the derivative.
    func representable(_ tensor: Tensor<Double>) -> Tensor<Double> {
      precision == .float64 ? tensor : tensor.map { Double(Float($0)) }
    }
    var function = CheckedFunction(
      ReferenceLayer(layer.problem), operands: captured.operands.mapValues(representable), precision: precision,
      algorithms: algorithms)
    function.name = layer.name
    let backward = backward
    function.backward = { try backward(layer, $0, $1) }
    var options = options
    options.method = .dual
    options.contracts = false
    options.exhaustive = false
    options.workLimit = 0
    options.cotangent = ["y": representable(captured.cotangent)]
    return GradientCheck(function, options: options)
  }
}
