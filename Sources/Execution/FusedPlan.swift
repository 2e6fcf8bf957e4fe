import Problems
import Tensors

/// A block or a network as the steps that compute it: each convolution with the batch norm, the sum and the ReLU that follow it.
struct FusedPlan: Sendable {
  /// A convolution, or a classifier as one of 1×1 images, with all that is done to its output on the way to memory.
  struct Convolution: Hashable, Sendable {
    var problem: Conv2dProblem
    /// The layer whose `weight` (and `bias`) it takes.
    var layer: String
    var hasBias = false
    var norm: Norm?
    var relu = false

    struct Norm: Hashable, Sendable {
      var layer: String
      var problem: BatchNorm2dProblem
    }
  }

  enum Work: Hashable, Sendable {
    case convolution(Convolution)
    case maxPool(MaxPool2dProblem)
    /// Of each plane.
    case mean
  }

  struct Step: Hashable, Sendable {
    /// The names of the layers that it does.
    var layers: [String]
    var work: Work
    /// Positions among the activations.
    var input: Int
    var output: Int
    var residual: Int?
  }

  /// What is given, as whoever gives it knows it.
  let inputShape: Shape
  /// Shapes, N×C×H×W; the first is the input's.
  private(set) var activations: [Shape]
  private(set) var steps: [Step] = []
  /// Activations that somebody may ask for, by name, with the shape under which they are known.
  private(set) var results: [(name: String, activation: Int, shape: Shape)] = []

  /// One layer: its result is `y`.
  /// - Throws: ``ExecutionError/unsupported(layer:reason:)``.
  init(_ layer: NetworkLayer) throws(ExecutionError) {
    guard let shape = layer.problem.operands.inputs["x"]?.shape, shape.rank == 4 || shape.rank == 2 else {
      throw Self.unsupported(layer, "expected an input of rank 4, or of rank 2")
    }
    inputShape = shape
    activations = [shape.rank == 4 ? shape : Shape(shape[0], shape[1], 1, 1)]
    let y = try append(layer, from: 0)
    guard y != 0 else { throw Self.unsupported(layer, "nothing to compute on its own") }
    results = [("y", y, layer.outputShape)]
  }

  /// A residual block: its result is `y`.
  /// - Throws: ``ExecutionError/unsupported(layer:reason:)``.
  init(_ block: ResidualBlockPlan) throws(ExecutionError) {
    inputShape = block.inputShape
    activations = [inputShape]
    let y = try append(block, from: 0)
    results = [("y", y, block.outputShape)]
  }

  /// A network: its results are `stage1` … and `logits`.
  /// - Throws: ``ExecutionError/unsupported(layer:reason:)``.
  init(_ network: NetworkPlan) throws(ExecutionError) {
    inputShape = network.inputShape
    activations = [inputShape]
    var current = try append(network.stem, from: 0)
    for (index, stage) in network.stages.enumerated() {
      for block in stage { current = try append(block, from: current) }
      results.append(("stage\(index + 1)", current, activations[current]))
    }
    current = try append(network.head, from: current)
    results.append(("logits", current, network.logitsShape))
  }

  private mutating func append(_ block: ResidualBlockPlan, from input: Int) throws(ExecutionError) -> Int {
    // The shortcut first: its end is what the branch's last convolution adds.
    let shortcut = try append(block.shortcut, from: input)
    let output = try append(block.branch, from: input)
    let last = steps.count - 1
    guard steps.indices.contains(last), steps[last].output == output,
      case .convolution(var convolution) = steps[last].work, !convolution.relu
    else { throw Self.unsupported(block.sum, "expected a convolution without ReLU before the sum") }
    convolution.relu = true
    steps[last].work = .convolution(convolution)
    steps[last].residual = shortcut
    steps[last].layers += [block.sum.name, block.activation.name]
    return output
  }

  private mutating func append(_ layers: [NetworkLayer], from input: Int) throws(ExecutionError) -> Int {
    var current = input
    for layer in layers { current = try append(layer, from: current) }
    return current
  }

  /// Adds a layer, or joins it to the step before.
  private mutating func append(_ layer: NetworkLayer, from input: Int) throws(ExecutionError) -> Int {
    switch layer.problem {
    case let problem as Conv2dProblem:
      return add(
        layer, .convolution(Convolution(problem: problem, layer: layer.name, hasBias: problem.hasBias)), from: input)
    case let problem as BatchNorm2dProblem:
      try join(layer, to: input) { convolution in
        guard convolution.norm == nil, !convolution.relu else { return false }
        convolution.norm = Convolution.Norm(layer: layer.name, problem: problem)
        return true
      }
      return input
    case is ReLUProblem:
      try join(layer, to: input) { convolution in
        convolution.relu = true
        return true
      }
      return input
    case let problem as MaxPool2dProblem: return add(layer, .maxPool(problem), from: input)
    case let problem as AdaptiveAvgPool2dProblem where problem.outputSize == 1: return add(layer, .mean, from: input)
    case let problem as AvgPool2dProblem where problem.isWholePlane: return add(layer, .mean, from: input)
    case is FlattenProblem:
      // One pixel a channel: the elements are in the same order already.
      guard activations[input][2] == 1, activations[input][3] == 1 else {
        throw Self.unsupported(layer, "expected planes of one pixel, found \(activations[input])")
      }
      if !steps.isEmpty { steps[steps.count - 1].layers.append(layer.name) }
      return input
    case let problem as LinearProblem: return add(layer, try Self.classifier(problem, layer), from: input)
    default: throw Self.unsupported(layer, "a layer of a kind that no network here has")
    }
  }

  private static func classifier(_ problem: LinearProblem, _ layer: NetworkLayer) throws(ExecutionError) -> Work {
    do throws(ProblemError) {
      let convolution = try Conv2dProblem(
        batch: problem.batch, inputChannels: problem.inputFeatures, inputSize: 1,
        outputChannels: problem.outputFeatures, kernelSize: 1)
      return .convolution(Convolution(problem: convolution, layer: layer.name, hasBias: problem.hasBias))
    } catch { throw .problem(error) }
  }

  private mutating func add(_ layer: NetworkLayer, _ work: Work, from input: Int) -> Int {
    let shape = layer.outputShape
    activations.append(shape.rank == 4 ? shape : Shape(shape[0], shape[1], 1, 1))
    steps.append(Step(layers: [layer.name], work: work, input: input, output: activations.count - 1))
    return activations.count - 1
  }

  private mutating func join(
    _ layer: NetworkLayer, to activation: Int, _ change: (inout Convolution) -> Bool
  ) throws(ExecutionError) {
    let last = steps.count - 1
    guard last >= 0, steps[last].output == activation, case .convolution(var convolution) = steps[last].work,
      change(&convolution)
    else { throw Self.unsupported(layer, "expected a convolution before it") }
    steps[last].work = .convolution(convolution)
    steps[last].layers.append(layer.name)
  }

  private static func unsupported(_ layer: NetworkLayer, _ reason: String) -> ExecutionError {
    .unsupported(layer: layer.name, reason: reason)
  }
}

extension AvgPool2dProblem {
  /// Whether its only window is the whole plane.
  fileprivate var isWholePlane: Bool {
    window.kernelSize == Pair(inputShape[2], inputShape[3]) && window.padding == 0 && divisorOverride == nil
  }
}
