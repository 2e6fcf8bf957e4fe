/// One step of a network's run, and what it took within the run.
public struct LayerTime: Codable, Sendable, Hashable {
  /// The layer that does the work: `layer1.0.conv2`, or `pack` and the like where none does.
  public var layer: String
  /// The convolution that it computes, in its text form. Absent where it computes none.
  public var problem: String?
  /// What computes it: `winograd4`, `max pool`.
  public var strategy: String
  /// The median of several runs.
  public var nanoseconds: Double
  /// The least time that the measured ceilings allow, as part of the network's limit. Absent where it has no part in that.
  public var limitNanoseconds: Double?

  public init(layer: String, problem: String?, strategy: String, nanoseconds: Double) {
    self.layer = layer
    self.problem = problem
    self.strategy = strategy
    self.nanoseconds = nanoseconds
  }
}
