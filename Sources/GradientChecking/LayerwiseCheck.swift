import Operations
import Problems
import Results
import Tensors

/// Each layer of a network on its own, at the activations and cotangents that it has there: a wrong backward pass of one
/// layer spoils the gradients of all layers before it, but on its own only the layer at fault disagrees.
struct LayerwiseCheck: Sendable {
  let network: ReferenceNetwork
  /// Of the network's backward pass, and so of each layer's.
  let implementation: Implementation

  /// What the layers are on their own.
  struct Findings {
    /// One record for each layer at fault, in the order of the layers.
    var guilty: [GradientContractRecord] = []
    /// Operations that the engine does not do by themselves, so that nothing is said of their layers.
    var unasked: Set<String> = []
  }

  func run(at point: NamedTensors, upstream: NamedTensors, options: GradientCheck.Options) throws -> Findings {
    var findings = Findings()
    for captured in try network.captured(at: point, upstream: upstream) {
      let record = check(captured, options: options).run()
      if record.verdict == .unsupported {
        findings.unasked.insert(type(of: captured.layer.problem).operation)
      }
      guard record.verdict == .fail || record.verdict == .error else { continue }
      let bad = record.tensors.filter { $0.verdict == .fail }.map { tensor in
        "gradient of \(tensor.tensor): " + (tensor.pattern ?? tensor.reason ?? "wrong")
      }
      findings.guilty.append(
        GradientContractRecord(
          name: "layer \(captured.layer.name)", verdict: .fail,
          detail: bad.isEmpty ? record.reason : bad.joined(separator: "; ")))
    }
    return findings
  }

  private func check(_ captured: CapturedLayer, options: GradientCheck.Options) -> GradientCheck {
    let layer = captured.layer
    // In single precision every engine starts from the same numbers, and so does the derivative.
    func representable(_ tensor: Tensor<Double>) -> Tensor<Double> {
      implementation.precision == .float64 ? tensor : tensor.map { Double(Float($0)) }
    }
    let operands = captured.operands.mapValues(representable)
    var function = CheckedFunction(
      OperationFunction(layer.problem), name: layer.name, at: operands, by: implementation(of: layer, at: operands))
    if let defect = network.defect {
      let correct = function.backward
      function.backward = { operands, upstream in
        var gradients = try correct(operands, upstream)
        defect(layer, &gradients)
        return gradients
      }
    }
    var options = options
    options.method = .dual
    options.contracts = false
    options.exhaustive = false
    options.workLimit = 0
    options.cotangent = ["y": representable(captured.cotangent)]
    return GradientCheck(function, options: options)
  }

  /// Who computes this layer.
  private func implementation(of layer: NetworkLayer, at operands: NamedTensors) -> Implementation {
    guard case .engine(let engine, let whole) = implementation else { return implementation }
    let counters = layer.problem.operands.all.filter { $0.value.dtype == .int64 }
    let exercise = Exercise(
      layer.problem, operands: operands,
      // How many batches there were: no derivative depends on it.
      integers: counters.mapValues { Tensor(shape: $0.shape, repeating: 0) }, named: layer.name, dtype: whole.dtype)
    return .engine(engine, exercise)
  }
}
