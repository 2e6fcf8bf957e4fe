import Operations
import Problems
import Tensors

/// A network that is trained: what one step computes, and how often a block takes one.
///
/// A block prepares the network afresh, with the same initial values, and takes four steps on mini-batches that nobody has
/// seen. The first warms up. The last is not reported either: its loss shows that the gradients and updates of those before were
/// right.
public struct TrainedNetwork: Hashable, Sendable {
  /// In training mode, with a target.
  public let problem: ResNetProblem
  public let optimizer: OptimizerOptions
  /// Images of a mini-batch that differ, in blocks whose losses are held against the reference: as many as that can afford, and a
  /// divisor of the batch. Each of them is there equally often, so that every mean over the mini-batch, and with it the
  /// whole step, is that of the distinct ones.
  package let distinctImages: Int

  /// Steps of a block that are reported.
  package static let reported = 1..<3
  /// Steps of a block.
  package static let steps = 4
  /// Multiply-accumulates of a forward pass that a looked-at step may have.
  private static let affordable = 8_000_000_000

  /// Adam with PyTorch's defaults.
  /// - Throws: ``Problems/ProblemError`` when the batch does not fit the network.
  public init(_ architecture: ResNetArchitecture, inputShape: Shape) throws(ProblemError) {
    problem = try ResNetProblem(
      architecture: architecture, inputShape: inputShape, classCount: architecture.classCount, training: true,
      hasTarget: true)
    optimizer = .adam(try AdamOptions())
    let batch = inputShape[0]
    let each = problem.multiplyAccumulates / max(batch, 1)
    let most = max(2, Self.affordable / max(each, 1))
    distinctImages = (1...max(batch, 1)).last { batch % $0 == 0 && $0 <= most } ?? batch
  }

  package var batch: Int { problem.inputShape[0] }

  /// Of the images and labels once; each parameter, and what the optimiser remembers of it, is read and written.
  var compulsoryElements: Int {
    let memories =
      switch optimizer {
      case .sgd(let options): options.momentum == 0 ? 0 : 1
      case .adam(let options): options.amsgrad ? 3 : 2
      }
    return problem.inputShape.count + batch + 2 * (1 + memories) * problem.plan.parameterCount
  }

  /// The network's and the optimiser's.
  var attributes: Attributes { attributes(of: problem.attributes) }

  private func attributes(of network: Attributes) -> Attributes {
    var attributes = network
    for (name, value) in optimizer.attributes.values { attributes[name] = value }
    attributes["optimizer"] = .string(optimizer.name)
    return attributes
  }

  /// What the reference holds at once: one step, on the distinct images alone.
  var reference: ResNetProblem {
    get throws(ProblemError) {
      let image = problem.inputShape.dimensions.dropFirst()
      return try ResNetProblem(
        architecture: problem.architecture, inputShape: Shape([distinctImages] + image),
        classCount: problem.classCount, training: true, hasTarget: true)
    }
  }

  /// Whether the reference has as few runs for the bounds of a block's losses as there ever are.
  var isMeasuredByFewestRuns: Bool {
    let each = SaturatingCount(problem.multiplyAccumulates / max(batch, 1))
    let run = SaturatingCount(Self.steps) * SaturatingCount(distinctImages) * each
    return NetworkBounds.hasFewestRuns(multiplyAccumulates: run.value)
  }

  private var runInputs: [String: TensorType] {
    let image = Array(problem.inputShape.dimensions.dropFirst())
    let count = Self.steps * distinctImages
    return [
      "images": TensorType(Shape([count] + image)), "labels": TensorType([count], .int64),
      "batches": TensorType([Self.steps, distinctImages], .int64),
    ]
  }

  private var runAttributes: Attributes {
    attributes(
      of: Attributes([
        "architecture": .string(problem.architecture.name), "num_classes": .integer(problem.classCount),
      ]))
  }

  /// A block's steps as one exercise.
  /// - Parameters:
  ///   - whole: the workload's, whose initial values it takes.
  ///   - batches: the distinct images of each step, with their labels.
  ///   - threads: that compute it.
  func run(_ whole: Exercise, _ batches: [LabelledImages<Float>], threads: Int) -> Exercise {
    let types = runInputs
    func joined<Element>(_ name: String, _ parts: [Tensor<Element>]) -> Tensor<Element> {
      Tensor(shape: types[name]?.shape ?? [], elements: parts.flatMap(\.elements))
    }
    let rows = Tensor<Int64>(
      shape: [Self.steps, distinctImages], elements: (0..<Self.steps * distinctImages).map { Int64($0) })
    return Exercise(
      name: whole.name, operation: TrainingRunProblem.operation, attributes: runAttributes,
      inputs: [
        "images": .float32(joined("images", batches.map(\.images))),
        "labels": .int64(joined("labels", batches.map(\.labels))),
        "batches": .int64(rows),
      ], parameters: whole.parameters, buffers: whole.buffers, dtype: .float32, passes: [.forward],
      wanted: ["outputs/loss"], threads: threads)
  }
}
