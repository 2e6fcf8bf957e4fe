import Engines
import Operations
import Problems
import Tensors

/// What a workload computes: one convolution, or a whole network.
public enum BenchmarkSubject: Hashable, Sendable {
  case convolution(Conv2dProblem)
  /// In evaluation, from images to logits.
  case network(ResNetProblem)

  public var problem: any OperationProblem {
    switch self {
    case .convolution(let problem): problem
    case .network(let problem): problem
    }
  }

  /// What the reference computes of it at once: of a network one image.
  /// - Throws: ``Problems/ProblemError`` where there is no image.
  var reference: any OperationProblem {
    get throws(ProblemError) {
      guard case .network(let problem) = self else { return self.problem }
      let shape = problem.inputShape
      return try ResNetProblem(
        architecture: problem.architecture, inputShape: Shape(1, shape[1], shape[2], shape[3]),
        classCount: problem.classCount)
    }
  }

  package var batch: Int {
    switch self {
    case .convolution(let problem): problem.batch
    case .network(let problem): problem.inputShape[0]
    }
  }

  /// Multiplications and additions of the definition, the same for each pass.
  var flops: Double { 2 * Double(problem.multiplyAccumulates) }

  /// Of what a pass computes.
  func resultShape(_ pass: TimingRequest.TimedPass) -> Shape {
    switch self {
    case .convolution(let problem):
      switch pass {
      case .backwardData: problem.inputShape
      case .backwardWeight: problem.weightShape
      case .forward, .inference, .trainingStep: problem.outputShape
      }
    case .network(let problem): problem.plan.logitsShape
    }
  }

  /// Elements of the operands and of the result, once each.
  var compulsoryElements: Int {
    switch self {
    case .convolution(let problem): problem.inputShape.count + problem.weightShape.count + problem.outputShape.count
    case .network(let problem):
      problem.inputShape.count + problem.plan.parameterCount + problem.plan.logitsShape.count
    }
  }
}
