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
      let check = check(captured, options: options)
      let record = check.run()
      if record.verdict == .unsupported {
        findings.unasked.insert(type(of: captured.layer.problem).operation)
        continue
      }
      var bad = record.tensors.filter { $0.verdict == .fail }.map { tensor in
        "gradient of \(tensor.tensor): " + (tensor.pattern ?? tensor.reason ?? "wrong")
      }
      if bad.isEmpty, record.verdict != .error { bad = try wrongElements(captured.layer, check) }
      guard record.verdict == .error || !bad.isEmpty else { continue }
      findings.guilty.append(
        GradientContractRecord(
          name: "layer \(captured.layer.name)", verdict: .fail,
          detail: bad.isEmpty ? record.reason : bad.joined(separator: "; ")))
    }
    return findings
  }

  /// What of an engine's gradients differs from the definition's by more than rounding explains, element by element: over the
  /// thousands of a convolution the bounds of a projection add up, and hide what each of them shows.
  private func wrongElements(_ layer: NetworkLayer, _ check: GradientCheck) throws -> [String] {
    guard case .engine = implementation, let upstream = check.options.cotangent else { return [] }
    let function = check.function
    let definition = OperationFunction(layer.problem)
    let bounds = definition.roundingBounds(
      at: function.point, upstream: upstream, of: function.checked, by: function.implementation)
    guard let bounds else { return [] }
    let right = try definition.backward(function.point, upstream)
    let found = try function.backward(function.point, upstream)
    return function.checked.compactMap { name in
      guard let right = right[name], let found = found[name], found.shape == right.shape, let bound = bounds[name]
      else { return nil }
      let limits = bound.tightest
      let wrong = right.elements.indices.filter { element in
        abs(found.elements[element] - right.elements[element]) > limits[element]
      }
      guard let first = wrong.first else { return nil }
      return "gradient of \(name): \(wrong.count) of \(right.count) elements, the first "
        + "\(right.shape.index(ofOffset: first)): \(found.elements[first]), expected \(right.elements[first])"
    }
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
