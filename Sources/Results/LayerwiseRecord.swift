/// How the layers of one network did, each on its own, on what it met in the network.
public struct LayerwiseRecord: Codable, Sendable, Hashable {
  /// Layers that were judged.
  public var judged: Int
  /// Layers whose operation the engine does not have.
  public var unsupported: Int
  /// Elements compared.
  public var compared: Int
  /// By `stem`, `stage1` … `stage4`, `head`: the tensor nearest to its bound, as `layers/layer1.0.conv1/gradients/weight`;
  /// additions that hold are left out, since one rounding uses their whole bound.
  public var worst: [String: TensorResult]
  /// Tensors beyond their bounds in the order of the network, the first few.
  public var failures: [TensorResult]

  public init(
    judged: Int = 0, unsupported: Int = 0, compared: Int = 0, worst: [String: TensorResult] = [:],
    failures: [TensorResult] = []
  ) {
    self.judged = judged
    self.unsupported = unsupported
    self.compared = compared
    self.worst = worst
    self.failures = failures
  }
}
