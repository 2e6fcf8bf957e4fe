import Tensors

/// The branches that a network takes: which ReLUs are open and which elements win their max-pool window.
///
/// With the gates of one pass another pass is a smooth function of its input and parameters, so that its derivatives can
/// be compared although other roundings would decide a few gates differently.
public struct Gates: Sendable {
  /// By the layer's name: true where the gradient passes.
  public var relu: [String: [Bool]] = [:]
  /// By the layer's name: positions in the H·W plane.
  public var maxPool: [String: Tensor<Int64>] = [:]

  public init() {}
}
