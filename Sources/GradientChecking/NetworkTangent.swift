import Operations
import Problems
import Tensors

/// A network's outputs over dual numbers, one layer at a time: only the layer at work holds its parameters as dual
/// numbers (sixteen times a double's size), and nothing before the first seeded tensor is computed over them at all.
///
/// Through a layer that is linear, value and tangents pass as doubles, one after the other; a tangent that no direction has
/// reached yet stays 0.
struct NetworkTangent: Sendable {
  let network: ReferenceNetwork
  /// By layer: y = A·x as long as its parameters carry no direction.
  private let linearLayers: Set<String>

  /// A layer that its definition says to be affine in its only input is linear where it makes zeros of zeros: one without a
  /// bias, for instance, or with a bias of zeros.
  init(_ network: ReferenceNetwork, at point: NamedTensors) throws {
    self.network = network
    linearLayers = try network.layers.reduce(into: []) { names, layer in
      let definition = layer.problem.definition
      let inputs = layer.problem.operands.inputs
      guard inputs.count == 1, let x = inputs["x"], definition.linearity.operands.contains("x") else { return }
      let y = try layer.output(of: ["x": Tensor<Double>(zeros: x.shape)], at: point, gates: network.gates)
      if y.elements.allSatisfy({ $0 == 0 }) { names.insert(layer.name) }
    }
  }

  /// - Parameter directions: at most eight; lane i of the outputs' tangents is J·(direction i).
  func outputs(
    at point: NamedTensors, along directions: [ProjectionDirection], stop: StopFlag? = nil
  ) throws -> [String: Tensor<Dual<Double>>] {
    let pass = Pass(
      network: network, linearLayers: linearLayers, point: point, directions: directions, stop: stop)
    guard let x = point["x"] else {
      throw ProblemError(.shapeMismatch, "x", expected: "a tensor", found: "none")
    }
    let input = pass.seeded("x", x).map { Signal.varying($0) } ?? .constant(x)
    switch network.body {
    case .block(let plan): return ["y": try pass.block(plan, input).dual]
    case .network(let plan):
      var signal = try pass.chain(plan.stem, input)
      var stages: [Tensor<Dual<Double>>] = []
      for (number, blocks) in plan.stages.enumerated() {
        for block in blocks { signal = try pass.block(block, signal) }
        if network.outputs.contains("stage\(number + 1)") { stages.append(signal.dual) }
      }
      let logits = try pass.chain(plan.head, signal).dual
      return network.chosen(try network.named(logits: logits, stages: stages))
    }
  }

  /// An activation that no direction has reached yet, or one with tangents.
  private enum Signal {
    case constant(Tensor<Double>)
    case varying(Tensor<Dual<Double>>)

    var dual: Tensor<Dual<Double>> {
      switch self {
      case .constant(let tensor): tensor.map(Dual<Double>.init(constant:))
      case .varying(let tensor): tensor
      }
    }

    var constant: Tensor<Double>? { if case .constant(let tensor) = self { tensor } else { nil } }
  }

  private struct Pass {
    let network: ReferenceNetwork
    let linearLayers: Set<String>
    let point: NamedTensors
    let directions: [ProjectionDirection]
    let stop: StopFlag?

    private func isSeeded(_ name: String) -> Bool { directions.contains { $0.operand == name } }

    /// `nil` for a tensor without a direction.
    func seeded(_ name: String, _ tensor: Tensor<Double>) -> Tensor<Dual<Double>>? {
      guard isSeeded(name) else { return nil }
      var dual = tensor.map(Dual<Double>.init(constant:))
      for (lane, direction) in directions.enumerated() where direction.operand == name {
        direction.seed(&dual, lane: lane)
      }
      return dual
    }

    func chain(_ layers: [NetworkLayer], _ input: Signal) throws -> Signal {
      try layers.reduce(input) { signal, layer in try self.layer(layer, ["x": signal]) }
    }

    func block(_ block: ResidualBlockPlan, _ input: Signal) throws -> Signal {
      let branch = try chain(block.branch, input)
      let shortcut = try chain(block.shortcut, input)
      return try layer(block.activation, ["x": layer(block.sum, ["x": branch, "other": shortcut])])
    }

    private func layer(_ layer: NetworkLayer, _ inputs: [String: Signal]) throws -> Signal {
      try stop?.check()
      guard !layer.parameters.contains(where: { isSeeded($0.name) }) else { return try dual(layer, inputs) }
      let constants = inputs.compactMapValues(\.constant)
      if constants.count == inputs.count { return .constant(try value(layer, constants)) }
      if linearLayers.contains(layer.name), case .varying(let x)? = inputs["x"] {
        return .varying(try lanes(layer, x))
      }
      return try dual(layer, inputs)
    }

    private func value(_ layer: NetworkLayer, _ inputs: NamedTensors) throws -> Tensor<Double> {
      try layer.output(of: inputs, at: point, gates: network.gates)
    }

    private func dual(_ layer: NetworkLayer, _ inputs: [String: Signal]) throws -> Signal {
      .varying(
        try layer.output(of: inputs.mapValues(\.dual), at: point, gates: network.gates) { name, tensor in
          seeded(name, tensor) ?? tensor.map(Dual<Double>.init(constant:))
        })
    }

    /// Value and tangents, each as doubles.
    private func lanes(_ layer: NetworkLayer, _ x: Tensor<Dual<Double>>) throws -> Tensor<Dual<Double>> {
      var y = try value(layer, ["x": x.map(\.value)]).map(Dual<Double>.init(constant:))
      for lane in directions.indices {
        let tangent = x.map { $0.tangent[lane] }
        guard tangent.elements.contains(where: { $0 != 0 }) else { continue }
        let response = try value(layer, ["x": tangent])
        for position in y.elements.indices { y.elements[position].tangent[lane] = response.elements[position] }
      }
      return y
    }
  }
}

extension NetworkLayer {
  /// `y` at the parameters and buffers of a network's point.
  fileprivate func output(of inputs: NamedTensors, at point: NamedTensors, gates: Gates?) throws -> Tensor<Double> {
    try output(of: inputs, at: point, gates: gates) { _, tensor in tensor }
  }

  /// - Parameter scalars: turns a tensor of the point, given by its full name.
  fileprivate func output<Scalar: RealScalar>(
    of inputs: [String: Tensor<Scalar>], at point: NamedTensors, gates: Gates?,
    _ scalars: (_ name: String, Tensor<Double>) -> Tensor<Scalar>
  ) throws -> Tensor<Scalar> {
    var given = Given(operands: inputs)
    for named in parameters + buffers {
      guard let tensor = point[named.name] else { continue }
      given.operands[String(named.name.dropFirst(name.count + 1))] = scalars(named.name, tensor)
    }
    given.gate = gates?[name]
    guard let y = try problem.definition.compute(given).outputs["y"] else {
      throw ProblemError(.invalidArgument, name, expected: "a layer with the output y", found: problem.text)
    }
    return y
  }
}
