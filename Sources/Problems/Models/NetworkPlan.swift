import Tensors

/// A whole residual network for one input shape: a stem, stages of residual blocks, a head.
public struct NetworkPlan: Hashable, Sendable {
  public let inputShape: Shape
  public let stem: [NetworkLayer]
  public let stages: [[ResidualBlockPlan]]
  public let head: [NetworkLayer]

  /// All layers in the order in which they are computed, which is also that of torchvision's `state_dict`.
  public var layers: [NetworkLayer] { stem + stages.joined().flatMap(\.layers) + head }

  /// (N, classes).
  public var logitsShape: Shape { head.last?.outputShape ?? inputShape }

  /// The output shape of each stage.
  public var stageShapes: [Shape] { stages.compactMap { $0.last?.outputShape } }

  /// Learnt parameters in the order of `state_dict`.
  public var parameters: [NamedShape] { layers.flatMap(\.parameters) }
  public var buffers: [NamedShape] { layers.flatMap(\.buffers) }
  /// Number of learnt scalars.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.count } }
  public var multiplyAccumulates: Int { layers.multiplyAccumulates.value }

  /// Parameters and buffers interleaved as `state_dict` has them.
  public var stateNames: [NamedShape] { layers.flatMap { $0.parameters + $0.buffers } }
}
