import Problems
import Tensors

/// A whole residual network, with the mean cross-entropy of its logits where there are labels.
///
/// - Source: He et al. 2016, "Deep residual learning for image recognition"; names after `torchvision.models.resnet`.
public struct ResNet: PassingOperation, LayeredOperation {
  public let problem: ResNetProblem
  public init(_ problem: ResNetProblem) { self.problem = problem }

  var passedLayers: [NetworkLayer] { problem.layers }
  var isSinglePass: Bool { true }
  public var isWholeNetwork: Bool { true }
  public var layers: Applicable<any LayeredOperation> { .some(self) }
  public var differentiableOperands: Applicable<[String]> {
    .some(["x"] + problem.layers.flatMap(\.parameters).map(\.name))
  }

  public func network(target: Tensor<Int64>?) throws(ProblemError) -> ReferenceNetwork {
    var network = ReferenceNetwork(.network(problem.plan))
    if let target, let loss = try problem.loss() {
      network.loss = ReferenceNetwork.Loss(layer: CrossEntropy(loss), target: target)
    }
    return network
  }

  func run<Scalar: RealScalar>(
    _ given: Given<Scalar>, hooks: (Int) -> StepHooks<Scalar>
  ) throws(ProblemError) -> Found<Scalar> {
    let (x, plan) = (try given.operand("x"), problem.plan)
    let loss = try problem.loss().map { CrossEntropy($0) }
    let target: CrossEntropy.Target<Scalar>? = loss == nil ? nil : .indices(try given.integers("target"))
    var dLogits = try given.cotangent("logits", shape: plan.logitsShape)
    let dLoss = try given.cotangent("loss", shape: [])
    var dStages: [Int: Tensor<Scalar>] = [:]
    for (stage, shape) in plan.stageShapes.enumerated() {
      dStages[stage] = try given.cotangent("stage\(stage + 1)", shape: shape)
    }
    // What is wrong with the labels is found out before the network runs.
    if let loss, let target { _ = try loss.forward(Tensor(zeros: plan.logitsShape), target: target) }

    var pass = NetworkPass(state: try NetworkState(given, layers: plan.layers))
    pass.threads = given.threads
    let wantsGradients = dLogits != nil || dLoss != nil && loss != nil || !dStages.isEmpty
    pass.keepsRecords = wantsGradients
    let hooks = hooks(0)
    hooks.begin(&pass)
    let outputs = try pass.forward(plan, x: x)
    var found = Found(outputs: ["logits": outputs.logits])
    for (stage, y) in outputs.stages.enumerated() { found.outputs["stage\(stage + 1)"] = y }
    if let loss, let target {
      found.outputs["loss"] = try loss.forward(outputs.logits, target: target)
      if let dLoss {
        let gradient = try loss.backward(dLoss, x: outputs.logits, target: target)
        dLogits =
          try dLogits.map { (given) throws(ProblemError) in
            try Add(AddProblem(inputShape: given.shape)).forward(given, gradient)
          } ?? gradient
      }
    }
    if wantsGradients {
      found.gradients = try pass.backward(plan, dLogits: dLogits ?? Tensor(zeros: plan.logitsShape), dStages: dStages)
    }
    hooks.end(pass)
    pass.state.put(into: &found, as: given)
    return found
  }
}
