import Engines
import Problems
import Tensors

/// The rounding errors that a correct implementation of one operation may make, from the case's own data.
///
/// One value serves every precision: what costs time (the sums over magnitudes and squares) is done once.
public protocol BoundModel: Sendable {
  /// Whether every order of evaluation gives the same value under the golden format's `exact` fill.
  func isExact(_ path: String) -> Bool
  /// Bounds of the tensor `outputs/y`, `gradients/weight`, …; `nil` for one that the operation does not have.
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds?
  /// What the layers of a whole network met; `nil` for anything else.
  var capturedLayers: CapturedLayers? { get }
}

extension BoundModel {
  public var capturedLayers: CapturedLayers? { nil }
}

/// The operands of a case: floats in double precision, which is exact, since the golden format stores what float32 can
/// represent, and integers as they are, since a double holds none beyond 2⁵³ for certain.
struct Operation {
  let inputs: [String: Tensor<Double>]
  let parameters: [String: Tensor<Double>]
  let buffers: [String: Tensor<Double>]
  let upstream: [String: Tensor<Double>]
  /// Class indices, batches and counts, by name.
  let integers: [String: Tensor<Int64>]
  let wanted: Set<String>

  init(_ exercise: Exercise, wanted: Set<String>) {
    func floats(_ tensors: [String: AnyTensor]) -> [String: Tensor<Double>] {
      tensors.filter { $0.value.dtype != .int64 }.mapValues(\.doubles)
    }
    inputs = floats(exercise.inputs)
    parameters = floats(exercise.parameters)
    buffers = floats(exercise.buffers)
    upstream = floats(exercise.upstream)
    // No operation has an input and a buffer of the same name.
    integers = exercise.inputs.merging(exercise.buffers) { input, _ in input }.compactMapValues(\.integers)
    self.wanted = wanted
  }

  /// - Requires: the problem was validated, so that the input is there.
  func input(_ name: String = "x") -> Tensor<Double> { inputs[name] ?? Tensor(zeros: [0]) }
}

/// The bound models by operation.
public enum BoundModels {
  /// - Parameters:
  ///   - exercise: the operands.
  ///   - problem: what is computed of them.
  ///   - algorithms: how the engine computes convolutions, from its description (`direct`, `winograd4`); any of them may
  ///     have been used.
  ///   - wanted: the tensors that bounds will be asked for.
  /// - Returns: `nil` for an operation without a model, whose expected tensors must carry tolerances.
  public static func make(
    for exercise: Exercise, problem: any OperationProblem, wanted: Set<String>, algorithms: Set<String> = []
  ) -> (any BoundModel)? {
    let operation = Operation(exercise, wanted: wanted)
    switch problem {
    case let problem as Conv2dProblem: return Conv2dBounds(problem, operation, algorithms: algorithms)
    case let problem as LinearProblem: return LinearBounds(problem, operation)
    case let problem as BatchNorm2dProblem: return BatchNorm2dBounds(problem, operation)
    case let problem as MaxPool2dProblem: return MaxPool2dBounds(problem, operation)
    case let problem as AvgPool2dProblem: return AveragePoolingBounds(problem, operation)
    case let problem as AdaptiveAvgPool2dProblem: return AveragePoolingBounds(problem, operation)
    case let problem as Upsample2dProblem: return Upsample2dBounds(problem, operation)
    case is SoftmaxProblem: return SoftmaxBounds(operation, logarithmic: false)
    case is LogSoftmaxProblem: return SoftmaxBounds(operation, logarithmic: true)
    case let problem as CrossEntropyProblem: return CrossEntropyBounds(problem, operation)
    case is AddProblem: return AddBounds(operation)
    case is ReLUProblem, is IdentityProblem, is DropoutProblem, is FlattenProblem: return SelectionBounds(operation)
    case let problem as any OptimizerStepProblem: return OptimizerBounds(problem, operation)
    case let problem as BasicBlockProblem: return network(.block(problem.plan), operation, problem)
    case let problem as BottleneckProblem: return network(.block(problem.plan), operation, problem)
    case let problem as ResidualBlockProblem: return network(.block(problem.plan), operation, problem)
    case let problem as ResNetProblem: return network(.network(problem), operation, problem)
    case let problem as TrainingRunProblem: return network(.training(problem), operation, problem)
    default: return nil
    }
  }

  private static func network(
    _ plan: NetworkSubject.Plan, _ operation: Operation, _ problem: any OperationProblem
  ) -> (any BoundModel)? {
    NetworkBounds(plan, operation, multiplyAccumulates: problem.multiplyAccumulates)
  }
}
