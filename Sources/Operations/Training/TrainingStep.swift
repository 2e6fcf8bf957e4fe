import Problems
import Tensors

/// A set of images, each with a class, that gives mini-batches as a network takes them.
public protocol ImageSource<Scalar> {
  associatedtype Scalar: RealScalar
  var count: Int { get }
  /// (C, H, W) of every image that ``batch(_:)`` gives.
  var imageShape: Shape { get }
  /// The rows of these numbers, in this order.
  /// - Requires: numbers below ``count``.
  /// - Throws: `ProblemError` when the images cannot be made as a network takes them.
  func batch(_ rows: [Int]) throws(ProblemError) -> LabelledImages<Scalar>
}

/// Images with a class each.
public struct LabelledImages<Scalar: RealScalar>: Sendable, ImageSource {
  /// (N, C, H, W)
  public let images: Tensor<Scalar>
  /// (N)
  public let labels: Tensor<Int64>

  /// - Requires: as many labels as images.
  public init(images: Tensor<Scalar>, labels: Tensor<Int64>) {
    precondition(images.shape.rank == 4 && labels.shape == [images.shape[0]], "one label for each image")
    self.images = images
    self.labels = labels
  }

  public var count: Int { labels.count }
  public var imageShape: Shape { Shape(Array(images.shape.dimensions.dropFirst())) }

  /// The rows of these numbers, in this order.
  /// - Requires: numbers below ``count``.
  public func batch(_ rows: [Int]) -> LabelledImages {
    let size = images.shape.dimensions.dropFirst().reduce(1, *)
    var elements: [Scalar] = []
    elements.reserveCapacity(rows.count * size)
    for row in rows { elements += images.elements[row * size..<(row + 1) * size] }
    return LabelledImages(
      images: Tensor(shape: Shape([rows.count] + images.shape.dimensions.dropFirst()), elements: elements),
      labels: Tensor(shape: [rows.count], elements: rows.map { labels.elements[$0] }))
  }
}

/// What training changes: a network's values and the optimiser's memory, one mini-batch after the other.
public struct TrainingStep<Scalar: RealScalar>: Sendable {
  public var state: NetworkState<Scalar>
  public let optimizer: Optimizer
  /// By parameter name.
  public var optimizerStates: [String: OptimizerState<Scalar>] = [:]
  /// Parameters that stay as they are.
  public var frozen: Set<String> = []
  /// Threads that share convolutions; they change no bit.
  public var threads = 1

  public init(state: NetworkState<Scalar>, optimizer: Optimizer) {
    self.state = state
    self.optimizer = optimizer
  }

  /// One mini-batch: forward in training mode, mean cross-entropy, backward, a step of every parameter.
  ///
  /// - Parameters:
  ///   - plan: the network in training mode.
  ///   - batch: as many images as the plan has.
  ///   - learningRate: in place of the optimiser's own.
  ///   - beforeLayer: called before each layer, forward and backward; what it throws ends the step.
  ///   - hooks: looks at the pass and disturbs it.
  /// - Returns: the loss before the step, and the logits that it was computed from.
  /// - Throws: `ProblemError` when the batch does not fit the plan or a label is no class; nothing is changed then.
  public mutating func run(
    _ plan: NetworkPlan, _ batch: LabelledImages<Scalar>, learningRate: Double? = nil,
    beforeLayer: (() throws(ProblemError) -> Void)? = nil, hooks: StepHooks<Scalar> = StepHooks()
  ) throws(ProblemError) -> (loss: Scalar, logits: Tensor<Scalar>) {
    let loss = CrossEntropy(try CrossEntropyProblem(batch: plan.logitsShape[0], classes: plan.logitsShape[1]))
    var pass = NetworkPass(state: state)
    pass.threads = threads
    pass.beforeLayer = beforeLayer
    hooks.begin(&pass)
    let logits = try pass.forward(plan, x: batch.images).logits
    let target = CrossEntropy.Target<Scalar>.indices(batch.labels)
    let value = try loss.forward(logits, target: target).elements[0]
    let dLogits = try loss.backward(Tensor(shape: [], elements: [1]), x: logits, target: target)
    let gradients = try pass.backward(plan, dLogits: dLogits)
    hooks.end(pass)
    var next = pass.state
    var memory = optimizerStates
    for parameter in plan.parameters where !frozen.contains(parameter.name) {
      guard let gradient = gradients[parameter.name], var p = next.parameters[parameter.name] else { continue }
      try optimizer.step(
        &p, gradient: gradient, state: &memory[parameter.name, default: OptimizerState()], learningRate: learningRate)
      next.parameters[parameter.name] = hooks.parameter(p)
    }
    (state, optimizerStates) = (next, memory)
    return (value, logits)
  }
}

/// What a caller does with a pass, and with the parameters that a step leaves.
public struct StepHooks<Scalar: RealScalar> {
  public var begin: (_ pass: inout NetworkPass<Scalar>) -> Void
  public var end: (_ pass: NetworkPass<Scalar>) -> Void
  /// Replaces each parameter after a step of the optimiser.
  public var parameter: (Tensor<Scalar>) -> Tensor<Scalar>

  public init(
    begin: @escaping (_ pass: inout NetworkPass<Scalar>) -> Void = { _ in },
    end: @escaping (_ pass: NetworkPass<Scalar>) -> Void = { _ in },
    parameter: @escaping (Tensor<Scalar>) -> Tensor<Scalar> = { $0 }
  ) {
    self.begin = begin
    self.end = end
    self.parameter = parameter
  }
}

/// Something else than the reference that computes the steps of an epoch, with values of its own in between.
public protocol StepEngine<Scalar> {
  associatedtype Scalar: RealScalar
  /// Takes in the values, and the optimiser's memory, that an epoch begins with.
  /// - Throws: `ProblemError` where it cannot.
  func begin(_ step: TrainingStep<Scalar>) throws(ProblemError)
  /// One mini-batch, as ``TrainingStep/run(_:_:learningRate:beforeLayer:hooks:)``.
  /// - Returns: the loss before the step.
  /// - Throws: `ProblemError` when the batch does not fit the plan or a label is no class.
  func run(_ plan: NetworkPlan, _ batch: LabelledImages<Scalar>, learningRate: Double) throws(ProblemError) -> Double
  /// The values and the memory that the epoch ends with.
  /// - Parameter step: what it began with.
  /// - Throws: `ProblemError` where they do not fit.
  func end(_ step: TrainingStep<Scalar>) throws(ProblemError) -> TrainingStep<Scalar>
}
