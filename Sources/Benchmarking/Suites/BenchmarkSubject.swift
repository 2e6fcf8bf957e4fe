import Engines
import Operations
import Problems
import Tensors

/// What a workload computes: one convolution, another operation, a whole network, or a step of training one.
public enum BenchmarkSubject: Hashable, Sendable {
  case convolution(Conv2dProblem)
  case operation(TimedOperation)
  /// In evaluation, from images to logits.
  case network(ResNetProblem)
  /// One step: forward in training mode, the loss, backward, and the optimiser.
  case training(TrainedNetwork)

  public var problem: any OperationProblem {
    switch self {
    case .convolution(let problem): problem
    case .operation(let timed): timed.problem
    case .network(let problem): problem
    case .training(let network): network.problem
    }
  }

  /// An operation on its own.
  /// - Throws: ``Problems/ProblemError`` for what is timed as a whole network.
  init(_ problem: any OperationProblem) throws(ProblemError) {
    if let convolution = problem as? Conv2dProblem {
      self = .convolution(convolution)
    } else {
      self = .operation(try TimedOperation(problem))
    }
  }

  /// What the reference computes of it at once: of a network one image, of training one step.
  /// - Throws: ``Problems/ProblemError`` where there is no image.
  var reference: any OperationProblem {
    get throws(ProblemError) {
      switch self {
      case .convolution(let problem): return problem
      case .operation(let timed): return timed.problem
      case .network(let problem):
        let shape = problem.inputShape
        return try ResNetProblem(
          architecture: problem.architecture, inputShape: Shape(1, shape[1], shape[2], shape[3]),
          classCount: problem.classCount)
      case .training(let network): return try network.reference
      }
    }
  }

  /// Whether a pass is one of it: of whole networks each has its own, and not every operation has weights.
  func has(_ pass: TimingRequest.TimedPass) -> Bool {
    switch self {
    case .convolution: true
    case .operation(let timed): timed.has(pass)
    case .network: pass == .inference
    case .training: pass == .trainingStep
    }
  }

  package var batch: Int {
    switch self {
    case .convolution(let problem): problem.batch
    case .operation(let timed): timed.batch
    case .network(let problem): problem.inputShape[0]
    case .training(let network): network.batch
    }
  }

  /// Multiplications and additions of the definition, the same for each pass; of a step of training those of all three.
  var flops: Double {
    let forward = 2 * Double(problem.multiplyAccumulates)
    return if case .training = self { 3 * forward } else { forward }
  }

  /// Bytes of what a pass computes.
  func resultBytes(_ pass: TimingRequest.TimedPass, _ dtype: DType) -> Int {
    pass.results(of: problem).values.reduce(0) {
      $0 + $1.shape.count * ($1.dtype == .int64 ? $1.dtype : dtype).byteCount
    }
  }

  /// Elements of the operands and of the result, once each.
  func compulsoryElements(_ pass: TimingRequest.TimedPass) -> Int {
    switch self {
    case .convolution(let problem):
      return problem.inputShape.count + problem.weightShape.count + problem.outputShape.count
    case .operation(let timed): return timed.compulsoryElements(of: pass)
    case .network(let problem):
      return problem.inputShape.count + problem.plan.parameterCount + problem.plan.logitsShape.count
    case .training(let network): return network.compulsoryElements
    }
  }
}
