import Tensors

/// One layer of a network: its name and its problem.
public struct NetworkLayer: Sendable {
  /// As in torchvision's `state_dict`: `layer1.0.conv1`. Layers without parameters are named alike (`layer1.0.relu1`).
  public let name: String
  public let problem: any OperationProblem

  public init(name: String, _ problem: any OperationProblem) {
    self.name = name
    self.problem = problem
  }

  /// Of `y`, which every layer gives.
  public var outputShape: Shape { problem.outputs["y"]?.shape ?? [] }

  /// The layer's parameters under their full names, in the order of `state_dict`.
  public var parameters: [NamedShape] { named(["weight", "bias"], problem.operands.parameters) }

  /// The layer's buffers likewise. `num_batches_tracked` is an integer without dimensions.
  public var buffers: [NamedShape] {
    named(["running_mean", "running_var", "num_batches_tracked"], problem.operands.buffers)
  }

  /// Those that there are, in PyTorch's order and any others behind them.
  private func named(_ order: [String], _ types: [String: TensorType]) -> [NamedShape] {
    let names = order + types.keys.filter { !order.contains($0) }.sorted()
    return names.compactMap { suffix in
      types[suffix].map { NamedShape(name: "\(name).\(suffix)", shape: $0.shape) }
    }
  }
}

extension NetworkLayer: Hashable {
  public static func == (lhs: NetworkLayer, rhs: NetworkLayer) -> Bool {
    lhs.name == rhs.name && AnyHashable(lhs.problem) == AnyHashable(rhs.problem)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(AnyHashable(problem))
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
