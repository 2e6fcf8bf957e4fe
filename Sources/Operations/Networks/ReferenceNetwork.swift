import Problems
import Tensors

/// Tensors by name, in double precision.
public typealias NamedTensors = [String: Tensor<Double>]

/// A residual block or a whole network of the reference as one generic function of named tensors, in any scalar.
///
/// Operands are `x`, the parameters under their `state_dict` names, and the running statistics. With frozen gates it is smooth:
/// which ReLUs are open and which elements win their window is then the same for every operand. Outputs are `y` of a block; of
/// a network those that are asked for of `logits`, `loss` and `stage1` ….
public struct ReferenceNetwork: Sendable {
  public enum Body: Sendable {
    case block(ResidualBlockPlan)
    case network(NetworkPlan)
  }

  /// A loss with its labels.
  public struct Loss: Sendable {
    let layer: CrossEntropy
    public let target: Tensor<Int64>
  }

  /// Changes one layer's gradients, by the names `x`, `other`, `weight` and `bias`.
  public typealias Defect = @Sendable (_ layer: NetworkLayer, _ gradients: inout NamedTensors) -> Void

  public let body: Body
  /// What a network gives: the outputs that have cotangents.
  public var outputs: Set<String> = ["logits"]
  /// The mean cross-entropy of the logits, where the network has labels.
  public internal(set) var loss: Loss?
  public var gates: Gates?
  /// A deliberate defect of the backward pass in double precision: that checks find it is itself checked.
  public var defect: Defect?

  public init(_ body: Body) { self.body = body }

  public var layers: [NetworkLayer] {
    switch body {
    case .block(let plan): plan.layers
    case .network(let plan): plan.layers
    }
  }

  /// The input, and every parameter in the order of the layers.
  public var checkedOperands: [String] { ["x"] + layers.flatMap(\.parameters).map(\.name) }

  public func forward<Scalar: RealScalar>(_ operands: [String: Tensor<Scalar>]) throws -> [String:
    Tensor<Scalar>]
  {
    var pass = pass(operands)
    pass.keepsRecords = false
    return try chosen(run(&pass, operands))
  }

  /// Of everything that a pass gives, what is asked for.
  public func chosen<Scalar>(_ found: [String: Tensor<Scalar>]) -> [String: Tensor<Scalar>] {
    if case .block = body { return found }
    return found.filter { outputs.contains($0.key) }
  }

  public func backward<Scalar: RealScalar>(
    _ operands: [String: Tensor<Scalar>], _ upstream: [String: Tensor<Scalar>]
  ) throws -> [String: Tensor<Scalar>] {
    var pass = pass(operands)
    let found = try run(&pass, operands)
    if let defect {
      pass.transformGradients = { layer, _, gradients in Self.spoilt(gradients, of: layer, by: defect) }
    }
    return try gradients(pass, logits: found["logits"], upstream)
  }

  /// The gradients of a pass whose forward half is done.
  private func gradients<Scalar: RealScalar>(
    _ pass: NetworkPass<Scalar>, logits: Tensor<Scalar>?, _ upstream: [String: Tensor<Scalar>]
  ) throws -> [String: Tensor<Scalar>] {
    switch body {
    case .block(let plan): return try pass.backward(plan, dOutput: tensor("y", upstream))
    case .network(let plan):
      var dLogits = upstream["logits"] ?? Tensor(zeros: plan.logitsShape)
      if let loss, let dLoss = upstream["loss"], let logits {
        let gradient = try loss.layer.backward(dLoss, x: logits, target: .indices(loss.target))
        dLogits = try Add(AddProblem(inputShape: dLogits.shape)).forward(dLogits, gradient)
      }
      var dStages: [Int: Tensor<Scalar>] = [:]
      for stage in plan.stages.indices { dStages[stage] = upstream["stage\(stage + 1)"] }
      return try pass.backward(plan, dLogits: dLogits, dStages: dStages)
    }
  }

  /// The branches that the network takes at a point.
  public func gates(at operands: NamedTensors) throws -> Gates {
    var pass = pass(operands)
    _ = try run(&pass, operands)
    return pass.takenGates
  }

  private static func spoilt<Scalar: RealScalar>(
    _ gradients: LayerGradients<Scalar>, of layer: NetworkLayer, by defect: Defect
  ) -> LayerGradients<Scalar> {
    guard var changed = gradients as? LayerGradients<Double> else { return gradients }
    defect(layer, &changed.byName)
    return changed as? LayerGradients<Scalar> ?? gradients
  }

  /// What each layer is given at a point, forward and backward, in the order of the layers.
  public func captured(at operands: NamedTensors, upstream: NamedTensors) throws -> [CapturedLayer] {
    var pass = pass(operands)
    let found = try run(&pass, operands)
    let collected = Collected()
    pass.transformGradients = { layer, dOutput, gradients in
      collected.cotangents[layer.name] = dOutput
      return gradients
    }
    _ = try gradients(pass, logits: found["logits"], upstream)
    return layers.compactMap { layer in
      guard let record = pass.records[layer.name], let dOutput = collected.cotangents[layer.name] else { return nil }
      var given = record.inputs
      for name in layer.problem.operands.all.keys where given[name] == nil {
        given[name] = operands["\(layer.name).\(name)"]
      }
      return CapturedLayer(layer: layer, operands: given, cotangent: dOutput)
    }
  }

  private final class Collected {
    var cotangents: NamedTensors = [:]
  }

  private func run<Scalar: RealScalar>(
    _ pass: inout NetworkPass<Scalar>, _ operands: [String: Tensor<Scalar>]
  ) throws -> [String: Tensor<Scalar>] {
    let x = try tensor("x", operands)
    switch body {
    case .block(let plan): return ["y": try pass.forward(plan, x: x)]
    case .network(let plan):
      let found = try pass.forward(plan, x: x)
      return try named(logits: found.logits, stages: found.stages)
    }
  }

  /// Everything that a network gives, by the names of the golden format.
  public func named<Scalar: RealScalar>(
    logits: Tensor<Scalar>, stages: [Tensor<Scalar>]
  ) throws -> [String: Tensor<Scalar>] {
    var named = ["logits": logits]
    for (stage, y) in stages.enumerated() { named["stage\(stage + 1)"] = y }
    named["loss"] = try loss.map { try $0.layer.forward(logits, target: .indices($0.target)) }
    return named
  }

  private func pass<Scalar: RealScalar>(_ operands: [String: Tensor<Scalar>]) -> NetworkPass<Scalar> {
    var state = NetworkState<Scalar>()
    for layer in layers {
      for parameter in layer.parameters {
        state.parameters[parameter.name] = operands[parameter.name]
      }
      if let mean = operands["\(layer.name).running_mean"],
        let variance = operands["\(layer.name).running_var"]
      {
        state.buffers[layer.name] = BatchNorm2d.Buffers(
          runningMean: mean, runningVariance: variance)
      }
    }
    var pass = NetworkPass(state: state)
    pass.gates = gates
    return pass
  }

  private func tensor<Scalar>(_ name: String, _ tensors: [String: Tensor<Scalar>]) throws -> Tensor<
    Scalar
  > {
    guard let tensor = tensors[name] else {
      throw ProblemError(.shapeMismatch, name, expected: "a tensor", found: "none")
    }
    return tensor
  }
}

/// A layer as a network meets it.
public struct CapturedLayer: Sendable {
  public let layer: NetworkLayer
  /// By the layer's own names.
  public let operands: NamedTensors
  /// Of its output.
  public let cotangent: Tensor<Double>
}
