import Problems

/// What is to be timed.
public struct TimingRequest: Hashable, Sendable, Codable {
  public enum TimedPass: String, Hashable, Sendable, Codable, CaseIterable {
    case forward
    case backwardData = "backward_data"
    case backwardWeight = "backward_weight"
    case inference
    case trainingStep = "training_step"
  }
  public enum Layout: String, Hashable, Sendable, Codable, CaseIterable {
    /// From and to plain NCHW.
    case nchw
    /// In whatever layout the engine would keep between layers.
    case native
  }

  public var pass: TimedPass
  public var layout: Layout
  public var threads: Int

  public init(pass: TimedPass, layout: Layout, threads: Int) {
    self.pass = pass
    self.layout = layout
    self.threads = threads
  }
}

/// An operation that was prepared once and can be run many times. Released when it goes out of scope.
public protocol PreparedOperation: AnyObject {
  /// Scratch memory in bytes, without the packed weights.
  var workspaceBytes: Int { get }
  /// What runs, for a person: `direct AVX-512 14×32`.
  var summary: String { get }
  /// Runs the operation alone `iterations` times; one duration in nanoseconds for each.
  /// - Parameters:
  ///   - iterations: how often it runs.
  ///   - cold: caches of weights and activations are flushed before each iteration.
  func time(iterations: Int, cold: Bool) throws(EngineError) -> [UInt64]
}
