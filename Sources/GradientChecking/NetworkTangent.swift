import Problems
import Operations
import Tensors

/// A network's outputs over dual numbers, one layer at a time: only the layer at work holds its parameters as dual
/// numbers (sixteen times a double's size), and nothing before the first seeded tensor is computed over them at all.
///
/// A convolution whose parameters carry no direction is linear: its input's value and tangents pass through the same
/// convolution of doubles as images of one batch.
struct NetworkTangent: Sendable {
  let network: ReferenceNetwork

  /// - Parameter directions: at most eight; lane i of the outputs' tangents is J·(direction i).
  func outputs(
    at point: NamedTensors, along directions: [ProjectionDirection], stop: StopFlag? = nil
  ) throws -> [String: Tensor<Dual<Double>>] {
    let pass = Pass(network: network, point: point, directions: directions, stop: stop)
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
  }

  private struct Pass {
    let network: ReferenceNetwork
    let point: NamedTensors
    let directions: [ProjectionDirection]
    let stop: StopFlag?

    /// `nil` for a tensor without a direction.
    func seeded(_ name: String, _ tensor: Tensor<Double>) -> Tensor<Dual<Double>>? {
      guard directions.contains(where: { $0.operand == name }) else { return nil }
      var dual = tensor.map(Dual<Double>.init(constant:))
      for (lane, direction) in directions.enumerated() where direction.operand == name {
        direction.seed(&dual, lane: lane)
      }
      return dual
    }

    func chain(_ layers: [NetworkLayer], _ input: Signal) throws -> Signal {
      var signal = input
      for layer in layers { signal = try self.layer(layer, signal) }
      return signal
    }

    func block(_ block: ResidualBlockPlan, _ input: Signal) throws -> Signal {
      let branch = try chain(block.branch, input)
      let shortcut = try chain(block.shortcut, input)
      return try layer(block.activation, layer(block.sum, branch, other: shortcut))
    }

    private func layer(_ layer: NetworkLayer, _ input: Signal, other: Signal? = nil) throws -> Signal {
      try stop?.check()
      let isSeeded = layer.parameters.contains { parameter in directions.contains { $0.operand == parameter.name } }
      if !isSeeded, case .constant(let x) = input {
        switch other {
        case nil: return .constant(try forward(layer, x))
        case .constant(let other): return .constant(try forward(layer, x, other: other))
        case .varying: break
        }
      }
      if !isSeeded, case .conv2d(let problem) = layer.operation, !problem.hasBias, case .varying(let x) = input {
        return .varying(try lanes(layer, problem, x))
      }
      var state = NetworkState<Dual<Double>>()
      for parameter in layer.parameters {
        guard let tensor = point[parameter.name] else { continue }
        state.parameters[parameter.name] =
          seeded(parameter.name, tensor) ?? tensor.map(Dual<Double>.init(constant:))
      }
      if let buffers = buffers(layer) {
        state.buffers[layer.name] = BatchNorm2d.Buffers(
          runningMean: buffers.mean.map(Dual<Double>.init(constant:)),
          runningVariance: buffers.variance.map(Dual<Double>.init(constant:)))
      }
      return .varying(
        try layer.forward(input.dual, other: other?.dual, state: &state, gates: network.gates).y)
    }

    private func forward(
      _ layer: NetworkLayer, _ x: Tensor<Double>, other: Tensor<Double>? = nil
    ) throws -> Tensor<Double> {
      var state = NetworkState<Double>()
      for parameter in layer.parameters { state.parameters[parameter.name] = point[parameter.name] }
      if let buffers = buffers(layer) {
        state.buffers[layer.name] = BatchNorm2d.Buffers(
          runningMean: buffers.mean, runningVariance: buffers.variance)
      }
      return try layer.forward(x, other: other, state: &state, gates: network.gates).y
    }

    private func buffers(_ layer: NetworkLayer) -> (mean: Tensor<Double>, variance: Tensor<Double>)? {
      guard case .batchNorm2d = layer.operation, let mean = point["\(layer.name).running_mean"],
        let variance = point["\(layer.name).running_var"]
      else { return nil }
      return (mean, variance)
    }

    /// Value and tangents as 1 + 8 batches of images.
    private func lanes(
      _ layer: NetworkLayer, _ problem: Conv2dProblem, _ x: Tensor<Dual<Double>>
    ) throws -> Tensor<Dual<Double>> {
      let copies = 1 + directions.count
      let wide = try Conv2dProblem(
        batch: copies * problem.batch, inputChannels: problem.inputChannels, inputSize: problem.inputSize,
        outputChannels: problem.outputChannels, kernelSize: problem.kernelSize, stride: problem.stride,
        padding: problem.padding, dilation: problem.dilation, groups: problem.groups)
      var images: [Double] = []
      images.reserveCapacity(wide.inputShape.count)
      images += x.elements.lazy.map(\.value)
      for lane in directions.indices { images += x.elements.lazy.map { $0.tangent[lane] } }
      let y = try forward(
        NetworkLayer(name: layer.name, .conv2d(wide)), Tensor(shape: wide.inputShape, elements: images)
      ).elements
      let count = problem.outputShape.count
      return Tensor(
        shape: problem.outputShape,
        elements: (0..<count).map { position in
          var dual = Dual<Double>(constant: y[position])
          for lane in directions.indices { dual.tangent[lane] = y[(lane + 1) * count + position] }
          return dual
        })
    }
  }
}
