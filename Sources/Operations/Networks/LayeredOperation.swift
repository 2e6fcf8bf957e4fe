import Problems
import Tensors

/// An operation that is put together from layers.
public protocol LayeredOperation: Sendable {
  /// As one generic function of its input and parameters.
  /// - Parameter target: class indices of a network with a loss.
  func network(target: Tensor<Int64>?) throws(ProblemError) -> ReferenceNetwork
  /// A block is small enough to be differentiated as a whole; a network is not.
  var isWholeNetwork: Bool { get }
}

/// An operation that runs layers in one pass or more, each of which a caller may look at and disturb.
protocol PassingOperation: Operation {
  /// In the order of computation.
  var passedLayers: [NetworkLayer] { get }
  /// Whether it is one pass, forward and backward.
  var isSinglePass: Bool { get }
  /// - Parameter hooks: by the number of the pass.
  func run<Scalar: RealScalar>(
    _ given: Given<Scalar>, hooks: (Int) -> StepHooks<Scalar>
  ) throws(ProblemError) -> Found<Scalar>
}

extension PassingOperation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    try run(given) { _ in StepHooks() }
  }

  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { NetworkBounds(self, given, algorithms) }

  /// What stays so of each layer, and a loss.
  public var staysSingle: Set<String> {
    passedLayers.reduce(into: ["loss"]) { names, layer in
      names.formUnion(layer.problem.definition.staysSingle.map { "\(layer.name).\($0)" })
    }
  }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "it is not a layer of a network")
  }

  public var branches: Applicable<any Branching> { .none(because: "its layers branch, not it") }
}

/// A residual block: one plan of layers from `x` to `y`.
protocol BlockOperation: PassingOperation, LayeredOperation where Asked: LayeredProblem {
  var plan: ResidualBlockPlan { get }
}

extension BlockOperation {
  var passedLayers: [NetworkLayer] { plan.layers }
  var isSinglePass: Bool { true }
  public var isWholeNetwork: Bool { false }
  public var layers: Applicable<any LayeredOperation> { .some(self) }
  public var differentiableOperands: Applicable<[String]> {
    .some(["x"] + plan.layers.flatMap(\.parameters).map(\.name))
  }

  public func network(target: Tensor<Int64>?) throws(ProblemError) -> ReferenceNetwork {
    ReferenceNetwork(.block(plan))
  }

  func run<Scalar: RealScalar>(
    _ given: Given<Scalar>, hooks: (Int) -> StepHooks<Scalar>
  ) throws(ProblemError) -> Found<Scalar> {
    let x = try given.operand("x")
    let dOutput = try given.cotangent(shape: plan.outputShape)
    var pass = NetworkPass(state: try NetworkState(given, layers: plan.layers))
    pass.threads = given.threads
    let hooks = hooks(0)
    hooks.begin(&pass)
    var found = Found(y: try pass.forward(plan, x: x))
    if let dOutput { found.gradients = try pass.backward(plan, dOutput: dOutput) }
    hooks.end(pass)
    pass.state.put(into: &found, as: given)
    return found
  }
}
