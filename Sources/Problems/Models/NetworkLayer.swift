import Tensors

/// One layer of a network: its name and its problem.
public struct NetworkLayer: Hashable, Sendable {
  public enum Operation: Hashable, Sendable {
    case conv2d(Conv2dProblem)
    case batchNorm2d(BatchNorm2dProblem)
    case relu(ReLUProblem)
    case add(AddProblem)
    case maxPool2d(MaxPool2dProblem)
    case avgPool2d(AvgPool2dProblem)
    case adaptiveAvgPool2d(AdaptiveAvgPool2dProblem)
    case upsample2d(Upsample2dProblem)
    case flatten(FlattenProblem)
    case linear(LinearProblem)
  }

  /// As in torchvision's `state_dict`: `layer1.0.conv1`. Layers without parameters are named alike (`layer1.0.relu1`).
  public let name: String
  public let operation: Operation

  public init(name: String, _ operation: Operation) {
    self.name = name
    self.operation = operation
  }

  public var problem: any OperationProblem {
    switch operation {
    case .conv2d(let problem): problem
    case .batchNorm2d(let problem): problem
    case .relu(let problem): problem
    case .add(let problem): problem
    case .maxPool2d(let problem): problem
    case .avgPool2d(let problem): problem
    case .adaptiveAvgPool2d(let problem): problem
    case .upsample2d(let problem): problem
    case .flatten(let problem): problem
    case .linear(let problem): problem
    }
  }

  public var outputShape: Shape {
    switch operation {
    case .conv2d(let problem): problem.outputShape
    case .batchNorm2d(let problem): problem.inputShape
    case .relu(let problem): problem.inputShape
    case .add(let problem): problem.inputShape
    case .maxPool2d(let problem): problem.outputShape
    case .avgPool2d(let problem): problem.outputShape
    case .adaptiveAvgPool2d(let problem): problem.outputShape
    case .upsample2d(let problem): problem.outputShape
    case .flatten(let problem): problem.outputShape
    case .linear(let problem): problem.outputShape
    }
  }

  /// The layer's parameters under their full names, in the order of `state_dict`.
  public var parameters: [NamedShape] {
    switch operation {
    case .conv2d(let problem):
      named("weight", problem.weightShape) + (problem.hasBias ? named("bias", [problem.outputChannels]) : [])
    case .batchNorm2d(let problem):
      (problem.hasWeight ? named("weight", [problem.channels]) : [])
        + (problem.hasBias ? named("bias", [problem.channels]) : [])
    case .linear(let problem):
      named("weight", problem.weightShape) + (problem.hasBias ? named("bias", [problem.outputFeatures]) : [])
    default: []
    }
  }

  /// The layer's buffers likewise. `num_batches_tracked` is an integer without dimensions.
  public var buffers: [NamedShape] {
    guard case .batchNorm2d(let problem) = operation, problem.tracksRunningStatistics else { return [] }
    return named("running_mean", [problem.channels]) + named("running_var", [problem.channels])
      + (problem.countsBatches ? named("num_batches_tracked", []) : [])
  }

  private func named(_ suffix: String, _ shape: Shape) -> [NamedShape] {
    [NamedShape(name: "\(name).\(suffix)", shape: shape)]
  }
}

extension [NetworkLayer] {
  var multiplyAccumulates: SaturatingCount { map { SaturatingCount($0.problem.multiplyAccumulates) }.total() }

  /// What a layer takes however small it is: names, bookkeeping, a bound of its own. Measured (METHODOLOGY.md, "Limits").
  private static var layerWork: SaturatingCount { SaturatingCount(1 << 19) }

  var work: SaturatingCount { map { $0.problem.work + Self.layerWork }.total() }

  /// Every layer's output is kept for the backward pass, with the scratch of the largest layer.
  var scratchElements: SaturatingCount {
    map(\.outputShape.elements).total() + (map(\.problem.scratchElements).max() ?? 0)
  }
}

/// A tensor's name and shape.
public struct NamedShape: Hashable, Sendable {
  public let name: String
  public let shape: Shape
}
