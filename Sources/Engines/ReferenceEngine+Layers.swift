import Problems
import Operations
import Tensors

extension ReferenceEngine {
  /// One operation with its gradients, from golden names to layers and back.
  func answer<Scalar: ReferenceScalar>(
    to request: ReferenceRequest<Scalar>, _ problem: any OperationProblem
  ) throws(ProblemError) -> Answer {
    switch problem {
    case let problem as Conv2dProblem: try answer(request, problem)
    case let problem as BatchNorm2dProblem: try answer(request, problem)
    case let problem as LinearProblem: try answer(request, problem)
    case let problem as MaxPool2dProblem: try answer(request, problem)
    case let problem as CrossEntropyProblem: try answer(request, problem)
    case let problem as AddProblem: try answer(request, problem)
    case let problem as BasicBlockProblem: try blockAnswer(request, problem.plan)
    case let problem as BottleneckProblem: try blockAnswer(request, problem.plan)
    case let problem as ResidualBlockProblem: try blockAnswer(request, problem.plan)
    case let problem as ResNetProblem: try answer(request, problem)
    case let problem as TrainingRunProblem: try answer(request, problem)
    case let problem as any OptimizerStepProblem: try answer(request, problem)
    default: try unaryAnswer(request, problem)
    }
  }

  private func answer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: Conv2dProblem
  ) throws(ProblemError) -> Answer {
    let layer = Conv2d(problem)
    let (x, weight) = (try request.input("x"), try request.parameter("weight"))
    let bias = try request.optionalParameter("bias")
    let dOutput = try request.upstream("y")
    try requireShape(of: dOutput, problem)
    var answer = Answer(outputs: ["y": Scalar.wrap(try layer.forward(x, weight: weight, bias: bias))])
    if let dOutput {
      let gradients = try layer.backward(dOutput, x: x, weight: weight)
      answer.gradients = ["x": Scalar.wrap(gradients.dInput), "weight": Scalar.wrap(gradients.dWeight)]
      answer.gradients["bias"] = gradients.dBias.map(Scalar.wrap)
    }
    return answer
  }

  private func answer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: BatchNorm2dProblem
  ) throws(ProblemError) -> Answer {
    let layer = BatchNorm2d(problem)
    let x = try request.input("x")
    let (weight, bias) = (try request.optionalParameter("weight"), try request.optionalParameter("bias"))
    let buffers = try request.batchNormBuffers()
    let dOutput = try request.upstream("y")
    try requireShape(of: dOutput, problem)
    let (y, buffersAfter) = try layer.forward(x, weight: weight, bias: bias, buffers: buffers)
    var answer = Answer(outputs: ["y": Scalar.wrap(y)], buffersAfter: request.named(buffersAfter))
    if let dOutput {
      let gradients = try layer.backward(dOutput, x: x, weight: weight, buffers: buffers)
      answer.gradients["x"] = Scalar.wrap(gradients.dInput)
      answer.gradients["weight"] = gradients.dWeight.map(Scalar.wrap)
      answer.gradients["bias"] = gradients.dBias.map(Scalar.wrap)
    }
    return answer
  }

  private func answer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: LinearProblem
  ) throws(ProblemError) -> Answer {
    let layer = Linear(problem)
    let (x, weight) = (try request.input("x"), try request.parameter("weight"))
    let bias = try request.optionalParameter("bias")
    let dOutput = try request.upstream("y")
    try requireShape(of: dOutput, problem)
    var answer = Answer(outputs: ["y": Scalar.wrap(try layer.forward(x, weight: weight, bias: bias))])
    if let dOutput {
      let gradients = try layer.backward(dOutput, x: x, weight: weight)
      answer.gradients = ["x": Scalar.wrap(gradients.dInput), "weight": Scalar.wrap(gradients.dWeight)]
      answer.gradients["bias"] = gradients.dBias.map(Scalar.wrap)
    }
    return answer
  }

  private func answer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: MaxPool2dProblem
  ) throws(ProblemError) -> Answer {
    let layer = MaxPool2d(problem)
    let x = try request.input("x")
    let dOutput = try request.upstream("y")
    try requireShape(of: dOutput, problem)
    let (y, indices) = try layer.forward(x)
    var answer = Answer(outputs: ["y": Scalar.wrap(y), "indices": .int64(indices)])
    if let dOutput { answer.gradients["x"] = Scalar.wrap(try layer.backward(dOutput, indices: indices)) }
    return answer
  }

  private func answer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: CrossEntropyProblem
  ) throws(ProblemError) -> Answer {
    let layer = CrossEntropy(problem)
    let (x, weight) = (try request.input("x"), try request.optionalParameter("weight"))
    let target: CrossEntropy.Target<Scalar> =
      problem.hasProbabilityTargets
      ? .probabilities(try request.input("target")) : .indices(try request.indices("target"))
    let dLoss = try request.upstream("loss")
    try requireShape(of: dLoss, problem, "loss")
    var answer = Answer(outputs: ["loss": Scalar.wrap(try layer.forward(x, target: target, weight: weight))])
    if let dLoss {
      answer.gradients["x"] = Scalar.wrap(try layer.backward(dLoss, x: x, target: target, weight: weight))
    }
    return answer
  }

  private func answer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: AddProblem
  ) throws(ProblemError) -> Answer {
    let layer = Add(problem)
    let dOutput = try request.upstream("y")
    try requireShape(of: dOutput, problem)
    let y = try layer.forward(try request.input("x"), try request.input("other"))
    var answer = Answer(outputs: ["y": Scalar.wrap(y)])
    if let dOutput {
      let gradients = try layer.backward(dOutput)
      answer.gradients = ["x": Scalar.wrap(gradients.dInput), "other": Scalar.wrap(gradients.dOther)]
    }
    return answer
  }

  /// The operations that take `x` alone to `y`.
  private func unaryAnswer<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: any OperationProblem
  ) throws(ProblemError) -> Answer {
    let x = try request.input("x")
    let dOutput = try request.upstream("y")
    try requireShape(of: dOutput, problem)
    let y: Tensor<Scalar>
    let dInput: Tensor<Scalar>?
    switch problem {
    case let problem as ReLUProblem:
      y = try ReLU(problem).forward(x)
      dInput = if let dOutput { try ReLU(problem).backward(dOutput, x: x) } else { nil }
    case let problem as IdentityProblem:
      y = try Identity(problem).forward(x)
      dInput = if let dOutput { try Identity(problem).backward(dOutput) } else { nil }
    case let problem as DropoutProblem:
      y = try Dropout(problem).forward(x)
      dInput = if let dOutput { try Dropout(problem).backward(dOutput) } else { nil }
    case let problem as FlattenProblem:
      y = try Flatten(problem).forward(x)
      dInput = if let dOutput { try Flatten(problem).backward(dOutput) } else { nil }
    case let problem as SoftmaxProblem:
      y = try Softmax(problem).forward(x)
      dInput = if let dOutput { try Softmax(problem).backward(dOutput, x: x) } else { nil }
    case let problem as LogSoftmaxProblem:
      y = try LogSoftmax(problem).forward(x)
      dInput = if let dOutput { try LogSoftmax(problem).backward(dOutput, x: x) } else { nil }
    case let problem as AvgPool2dProblem:
      y = try AvgPool2d(problem).forward(x)
      dInput = if let dOutput { try AvgPool2d(problem).backward(dOutput) } else { nil }
    case let problem as AdaptiveAvgPool2dProblem:
      y = try AdaptiveAvgPool2d(problem).forward(x)
      dInput = if let dOutput { try AdaptiveAvgPool2d(problem).backward(dOutput) } else { nil }
    case let problem as Upsample2dProblem:
      y = try Upsample2d(problem).forward(x)
      dInput = if let dOutput { try Upsample2d(problem).backward(dOutput) } else { nil }
    default:
      throw ProblemError(
        .invalidArgument, "operation", expected: "an operation of the reference",
        found: "'\(request.exercise.operation)'")
    }
    var answer = Answer(outputs: ["y": Scalar.wrap(y)])
    answer.gradients["x"] = dInput.map(Scalar.wrap)
    return answer
  }

  /// A cotangent has its output's shape; found out before anything is computed.
  private func requireShape<Scalar>(
    of cotangent: Tensor<Scalar>?, _ problem: any OperationProblem, _ name: String = "y"
  ) throws(ProblemError) {
    guard let cotangent, let expected = problem.outputs[name]?.shape, cotangent.shape != expected else { return }
    throw ProblemError(
      .shapeMismatch, "upstream/\(name)", expected: "shape \(expected)", found: "shape \(cotangent.shape)")
  }
}
