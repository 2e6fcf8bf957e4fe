import Problems
import Tensors

/// A pass through the layers of a block or a network: forward with a record of every layer, then backward over it.
///
///     var pass = NetworkPass(state: state)
///     let outputs = try pass.forward(plan, x: images)
///     let gradients = try pass.backward(plan, dLogits: dLogits)
///
/// Derivatives by forward mode come from the same code over `Dual` numbers.
public struct NetworkPass<Scalar: RealScalar> {
  /// Parameters, and the running statistics as the pass leaves them.
  public private(set) var state: NetworkState<Scalar>
  /// By layer name; empty unless records are kept.
  public private(set) var records: [String: LayerRecord<Scalar>] = [:]
  /// Without records no backward pass is possible, and memory stays that of one layer.
  public var keepsRecords = true
  /// Threads that share convolutions; they change no bit.
  public var threads = 1
  /// Computes layers in place of their definitions, in double precision.
  public var oracle: Oracle?
  /// Decides ReLUs and max pools, forward and backward, in place of the values.
  public var gates: Gates?
  /// Replaces each layer's output: how far a perturbation of every layer by a relative u spreads is the measure of what
  /// rounding may do to the whole network.
  public var transform: ((NetworkLayer, Tensor<Scalar>) -> Tensor<Scalar>)?
  /// Replaces what each layer's backward pass gives; called with the layer and the gradient by its output.
  public var transformGradients: ((NetworkLayer, Tensor<Scalar>, LayerGradients<Scalar>) -> LayerGradients<Scalar>)?
  /// Called before each layer, forward and backward; what it throws ends the pass.
  public var beforeLayer: (() throws(ProblemError) -> Void)?
  /// Called after each layer.
  public var observe: ((LayerRecord<Scalar>) -> Void)?

  public init(state: NetworkState<Scalar>) { self.state = state }

  public struct Outputs: Sendable {
    /// The output of each stage.
    public var stages: [Tensor<Scalar>]
    public var logits: Tensor<Scalar>
  }

  // MARK: Forward

  /// A whole network.
  /// - Throws: `ProblemError` when a tensor is missing or has the wrong shape.
  public mutating func forward(_ plan: NetworkPlan, x: Tensor<Scalar>) throws(ProblemError) -> Outputs {
    try x.require(plan.inputShape, as: "inputs/x")
    var y = try forward(plan.stem, x)
    var stages: [Tensor<Scalar>] = []
    for stage in plan.stages {
      for block in stage { y = try forward(block, x: y) }
      stages.append(y)
    }
    return Outputs(stages: stages, logits: try forward(plan.head, y))
  }

  /// y = ReLU(branch(x) + shortcut(x)).
  /// - Throws: `ProblemError` when a tensor is missing or has the wrong shape.
  public mutating func forward(_ block: ResidualBlockPlan, x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(block.inputShape, as: "inputs/x")
    let branch = try forward(block.branch, x)
    let shortcut = try forward(block.shortcut, x)
    let sum = try forward(block.sum, branch, other: shortcut)
    return try forward(block.activation, sum)
  }

  private mutating func forward(
    _ layers: [NetworkLayer], _ x: Tensor<Scalar>
  ) throws(ProblemError) -> Tensor<Scalar> {
    var y = x
    for layer in layers { y = try forward(layer, y) }
    return y
  }

  private mutating func forward(
    _ layer: NetworkLayer, _ x: Tensor<Scalar>, other: Tensor<Scalar>? = nil
  ) throws(ProblemError) -> Tensor<Scalar> {
    try beforeLayer?()
    let record = try layer.forward(
      x, other: other, state: &state, gates: gates, threads: threads, oracle: oracle)
    if keepsRecords { records[layer.name] = record }
    observe?(record)
    return transform?(layer, record.y) ?? record.y
  }

  /// The branches that the recorded forward pass took.
  public var takenGates: Gates {
    var gates = Gates()
    for (name, record) in records {
      gates[name] = record.gate ?? record.layer.problem.definition.branches.value?.gate(at: record.x)
    }
    return gates
  }

  // MARK: Backward

  /// The gradients by every parameter, and by the input under the name `x`, of Σ outputs·cotangents.
  /// - Parameters:
  ///   - plan: that of the forward pass.
  ///   - dLogits: the cotangent of the logits.
  ///   - dStages: cotangents of the stages' outputs, by position.
  /// - Requires: a forward pass of the same plan with records.
  /// - Throws: `ProblemError` when a cotangent has the wrong shape.
  public func backward(
    _ plan: NetworkPlan, dLogits: Tensor<Scalar>, dStages: [Int: Tensor<Scalar>] = [:]
  ) throws(ProblemError) -> [String: Tensor<Scalar>] {
    try dLogits.require(plan.logitsShape, as: "upstream/logits")
    for (stage, cotangent) in dStages.sorted(by: { $0.key < $1.key }) where plan.stageShapes.indices.contains(stage) {
      try cotangent.require(plan.stageShapes[stage], as: "upstream/stage\(stage + 1)")
    }
    var gradients: [String: Tensor<Scalar>] = [:]
    var dy = try backward(plan.head, dLogits, &gradients)
    for (stage, blocks) in plan.stages.enumerated().reversed() {
      if let cotangent = dStages[stage] { dy = try sum(dy, cotangent) }
      for block in blocks.reversed() { dy = try backward(block, dy, &gradients) }
    }
    gradients["x"] = try backward(plan.stem, dy, &gradients)
    return gradients
  }

  /// The same for one block.
  public func backward(
    _ block: ResidualBlockPlan, dOutput: Tensor<Scalar>
  ) throws(ProblemError) -> [String: Tensor<Scalar>] {
    try dOutput.require(block.outputShape, as: "upstream/y")
    var gradients: [String: Tensor<Scalar>] = [:]
    gradients["x"] = try backward(block, dOutput, &gradients)
    return gradients
  }

  /// The gradient by the block's input is the sum of those through branch and shortcut.
  private func backward(
    _ block: ResidualBlockPlan, _ dOutput: Tensor<Scalar>, _ gradients: inout [String: Tensor<Scalar>]
  ) throws(ProblemError) -> Tensor<Scalar> {
    let dSum = try backward(block.activation, dOutput)
    let joint = try backward(block.sum, dSum.of("x"))
    let dBranch = try backward(block.branch, joint.of("x"), &gradients)
    let dShortcut = try backward(block.shortcut, joint.of("other"), &gradients)
    return try sum(dBranch, dShortcut)
  }

  private func backward(
    _ layers: [NetworkLayer], _ dOutput: Tensor<Scalar>, _ gradients: inout [String: Tensor<Scalar>]
  ) throws(ProblemError) -> Tensor<Scalar> {
    var dy = dOutput
    for layer in layers.reversed() {
      let result = try backward(layer, dy)
      for (name, gradient) in result.byName where name != "x" { gradients["\(layer.name).\(name)"] = gradient }
      dy = try result.of("x")
    }
    return dy
  }

  private func backward(
    _ layer: NetworkLayer, _ dOutput: Tensor<Scalar>
  ) throws(ProblemError) -> LayerGradients<Scalar> {
    try beforeLayer?()
    let result = try record(layer).backward(
      dOutput, state: state, gates: gates, threads: threads, oracle: oracle)
    return transformGradients?(layer, dOutput, result) ?? result
  }

  private func record(_ layer: NetworkLayer) throws(ProblemError) -> LayerRecord<Scalar> {
    guard let record = records[layer.name] else {
      throw ProblemError(
        .invalidArgument, layer.name, expected: "a forward pass with records before the backward pass", found: "none")
    }
    return record
  }

  private func sum(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try Add(AddProblem(inputShape: a.shape)).forward(a, b)
  }
}
