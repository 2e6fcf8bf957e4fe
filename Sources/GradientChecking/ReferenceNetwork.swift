import Engines
import Problems
import Reference
import Tensors

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
  struct Loss: Sendable {
    let layer: CrossEntropy
    let target: Tensor<Int64>
  }

  /// Changes one layer's gradients, by the names `x`, `other`, `weight` and `bias`.
  public typealias Defect = @Sendable (_ layer: NetworkLayer, _ gradients: inout NamedTensors) -> Void

  public let body: Body
  /// What a network gives: the outputs that have cotangents.
  public var outputs: Set<String> = ["logits"]
  /// The mean cross-entropy of the logits, where the network has labels.
  private(set) var loss: Loss?
  public var gates: Gates?
  /// A deliberate defect of the backward pass in double precision: that checks find it is itself checked.
  public var defect: Defect?

  public init(_ body: Body) { self.body = body }

  /// - Parameters:
  ///   - problem: a block or a network.
  ///   - target: the labels of a network with a loss.
  /// - Returns: `nil` for a problem that is neither a block nor a network.
  public init?(_ problem: any OperationProblem, target: Tensor<Int64>? = nil) {
    if let target, let problem = (problem as? ResNetProblem).flatMap({ try? $0.loss() }) {
      loss = Loss(layer: CrossEntropy(problem), target: target)
    }
    switch problem {
    case let problem as BasicBlockProblem: body = .block(problem.plan)
    case let problem as BottleneckProblem: body = .block(problem.plan)
    case let problem as ResidualBlockProblem: body = .block(problem.plan)
    case let problem as ResNetProblem: body = .network(problem.plan)
    default: return nil
    }
  }

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
  func chosen<Scalar>(_ found: [String: Tensor<Scalar>]) -> [String: Tensor<Scalar>] {
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
    var named: NamedTensors = ["x": changed.dInput]
    named["other"] = changed.dOther
    for suffix in ["weight", "bias"] { named[suffix] = changed.parameters["\(layer.name).\(suffix)"] }
    defect(layer, &named)
    changed.dInput = named["x"] ?? changed.dInput
    changed.dOther = named["other"]
    for suffix in ["weight", "bias"] { changed.parameters["\(layer.name).\(suffix)"] = named[suffix] }
    return changed as? LayerGradients<Scalar> ?? gradients
  }

  /// What each layer is given at a point, forward and backward, in the order of the layers.
  func captured(at operands: NamedTensors, upstream: NamedTensors) throws -> [CapturedLayer] {
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
      var given: NamedTensors = ["x": record.x]
      given["other"] = record.other
      for suffix in ["weight", "bias", "running_mean", "running_var"] {
        given[suffix] = operands["\(layer.name).\(suffix)"]
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
  func named<Scalar: RealScalar>(
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
      if case .batchNorm2d = layer.operation, let mean = operands["\(layer.name).running_mean"],
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

extension CheckedFunction {
  /// A block or network of the reference, forward and backward.
  ///
  /// Bounds of single operations do not say how rounding spreads through dozens of layers: that is measured, by
  /// displacing operands.
  public init(
    _ network: ReferenceNetwork, name: String, operands: NamedTensors, work: Int,
    precision: DType = .float64
  ) {
    self.init(
      name: name, at: operands, checking: network.checkedOperands,
      forward: { try network.forward($0) },
      backward: { operands, upstream in
        guard precision == .float32 else { return try network.backward(operands, upstream) }
        let gradients = try network.backward(
          operands.mapValues { $0.map { Float($0) } }, upstream.mapValues { $0.map { Float($0) } })
        return gradients.mapValues { $0.map { Double($0) } }
      })
    know(network, work: work, precision: precision)
    layerwise = LayerwiseCheck(network: network) { layer, operands, upstream in
      var gradients = try ReferenceLayer(layer.problem).backward(operands, upstream)
      network.defect?(layer, &gradients)
      return gradients
    }
  }

  /// An engine's backward pass through a block, held against the reference's forward.
  init(
    engine: any Engine, exercise: Exercise, network: ReferenceNetwork, operands: NamedTensors,
    work: Int
  ) {
    let checked = network.checkedOperands
    self.init(
      name: exercise.name, at: operands, checking: checked, forward: { try network.forward($0) },
      backward: Self.backward(of: engine, exercise: exercise, checked: checked))
    know(network, work: work, precision: exercise.dtype)
    let dtype = exercise.dtype
    layerwise = LayerwiseCheck(
      network: network, precision: dtype, algorithms: engine.description.algorithms
    ) { layer, operands, upstream in
      let problem = layer.problem
      let part = GradientCase.exercise(
        layer.name, problem: problem, operands: operands, classIndices: nil, dtype: dtype)
      let checked = ReferenceLayer(problem).checkedOperands
      return try Self.backward(of: engine, exercise: part, checked: checked)(operands, upstream)
    }
  }

  private mutating func know(_ network: ReferenceNetwork, work: Int, precision: DType) {
    backwardUnitRoundoff = precision.unitRoundoff
    dualForward = { try network.forward($0) }
    dualBackward = { try network.backward($0, $1) }
    tangents = NetworkTangent(network: network)
    // Neighbours share a pass, which begins at the first of them.
    checked = network.checkedOperands
    self.work = work
  }
}
