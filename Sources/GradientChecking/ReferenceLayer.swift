import Problems
import Reference
import Tensors

/// Any operation of the reference as one generic function of named tensors, in any scalar.
///
/// Operands have their golden names without the group: `x`, `other`, `weight`, `bias`, `running_mean`, `running_var`, and
/// `target` for probabilities. Class indices cannot be differentiated by, and are fixed.
public struct ReferenceLayer: Sendable {
  public let problem: any OperationProblem
  public let classIndices: Tensor<Int64>?

  public init(_ problem: any OperationProblem, classIndices: Tensor<Int64>? = nil) {
    self.problem = problem
    self.classIndices = classIndices
  }

  /// The operands that the reference's backward pass gives gradients for.
  public var checkedOperands: [String] {
    if problem is CrossEntropyProblem { return ["x"] }
    return (Array(problem.operands.inputs.keys) + Array(problem.operands.parameters.keys)).sorted()
  }

  /// `y`, or `loss`.
  public var outputName: String { problem is CrossEntropyProblem ? "loss" : "y" }

  public func forward<Scalar: RealScalar>(_ operands: [String: Tensor<Scalar>]) throws -> [String: Tensor<Scalar>] {
    [outputName: try output(operands)]
  }

  private func output<Scalar: RealScalar>(_ operands: [String: Tensor<Scalar>]) throws -> Tensor<Scalar> {
    let x = try operand("x", operands)
    return switch problem {
    case let problem as Conv2dProblem:
      try Conv2d(problem).forward(x, weight: operand("weight", operands), bias: operands["bias"])
    case let problem as BatchNorm2dProblem:
      try BatchNorm2d(problem).forward(
        x, weight: operands["weight"], bias: operands["bias"], buffers: buffers(operands)
      ).y
    case let problem as LinearProblem:
      try Linear(problem).forward(x, weight: operand("weight", operands), bias: operands["bias"])
    case let problem as MaxPool2dProblem: try MaxPool2d(problem).forward(x).y
    case let problem as CrossEntropyProblem:
      try CrossEntropy(problem).forward(x, target: target(operands), weight: operands["weight"])
    case let problem as AddProblem: try Add(problem).forward(x, operand("other", operands))
    case let problem as ReLUProblem: try ReLU(problem).forward(x)
    case let problem as IdentityProblem: try Identity(problem).forward(x)
    case let problem as DropoutProblem: try Dropout(problem).forward(x)
    case let problem as FlattenProblem: try Flatten(problem).forward(x)
    case let problem as SoftmaxProblem: try Softmax(problem).forward(x)
    case let problem as LogSoftmaxProblem: try LogSoftmax(problem).forward(x)
    case let problem as AvgPool2dProblem: try AvgPool2d(problem).forward(x)
    case let problem as AdaptiveAvgPool2dProblem: try AdaptiveAvgPool2d(problem).forward(x)
    case let problem as Upsample2dProblem: try Upsample2d(problem).forward(x)
    default: throw unknown
    }
  }

  public func backward<Scalar: RealScalar>(
    _ operands: [String: Tensor<Scalar>], _ upstream: [String: Tensor<Scalar>]
  ) throws -> [String: Tensor<Scalar>] {
    let x = try operand("x", operands)
    let dy = try operand(outputName, upstream)
    switch problem {
    case let problem as Conv2dProblem:
      let found = try Conv2d(problem).backward(dy, x: x, weight: operand("weight", operands))
      return named(["x": found.dInput, "weight": found.dWeight, "bias": found.dBias])
    case let problem as BatchNorm2dProblem:
      let found = try BatchNorm2d(problem).backward(
        dy, x: x, weight: operands["weight"], buffers: buffers(operands))
      return named(["x": found.dInput, "weight": found.dWeight, "bias": found.dBias])
    case let problem as LinearProblem:
      let found = try Linear(problem).backward(dy, x: x, weight: operand("weight", operands))
      return named(["x": found.dInput, "weight": found.dWeight, "bias": found.dBias])
    case let problem as AddProblem:
      let found = try Add(problem).backward(dy)
      return ["x": found.dInput, "other": found.dOther]
    case let problem as MaxPool2dProblem:
      let layer = MaxPool2d(problem)
      return ["x": try layer.backward(dy, indices: layer.forward(x).indices)]
    case let problem as CrossEntropyProblem:
      return [
        "x": try CrossEntropy(problem).backward(dy, x: x, target: target(operands), weight: operands["weight"])
      ]
    case let problem as ReLUProblem: return ["x": try ReLU(problem).backward(dy, x: x)]
    case let problem as IdentityProblem: return ["x": try Identity(problem).backward(dy)]
    case let problem as DropoutProblem: return ["x": try Dropout(problem).backward(dy)]
    case let problem as FlattenProblem: return ["x": try Flatten(problem).backward(dy)]
    case let problem as SoftmaxProblem: return ["x": try Softmax(problem).backward(dy, x: x)]
    case let problem as LogSoftmaxProblem: return ["x": try LogSoftmax(problem).backward(dy, x: x)]
    case let problem as AvgPool2dProblem: return ["x": try AvgPool2d(problem).backward(dy)]
    case let problem as AdaptiveAvgPool2dProblem: return ["x": try AdaptiveAvgPool2d(problem).backward(dy)]
    case let problem as Upsample2dProblem: return ["x": try Upsample2d(problem).backward(dy)]
    default: throw unknown
    }
  }

  private func named<Scalar>(_ gradients: [String: Tensor<Scalar>?]) -> [String: Tensor<Scalar>] {
    gradients.compactMapValues { $0 }
  }

  private func operand<Scalar>(_ name: String, _ operands: [String: Tensor<Scalar>]) throws -> Tensor<Scalar> {
    guard let tensor = operands[name] else {
      throw ProblemError(.shapeMismatch, name, expected: "a tensor", found: "none")
    }
    return tensor
  }

  private func buffers<Scalar: RealScalar>(_ operands: [String: Tensor<Scalar>]) -> BatchNorm2d.Buffers<Scalar>? {
    guard let mean = operands["running_mean"], let variance = operands["running_var"] else { return nil }
    return BatchNorm2d.Buffers(runningMean: mean, runningVariance: variance)
  }

  private func target<Scalar: RealScalar>(
    _ operands: [String: Tensor<Scalar>]
  ) throws -> CrossEntropy.Target<Scalar> {
    if let classIndices { return .indices(classIndices) }
    return .probabilities(try operand("target", operands))
  }

  private var unknown: ProblemError {
    ProblemError(
      .invalidArgument, "operation", expected: "an operation of the reference", found: "\(type(of: problem).operation)")
  }
}
