/// What an engine holds of main memory for one workload, in a process of its own that did nothing else: resident memory of that
/// process and of what it started.
public struct MemoryRecord: Codable, Sendable, Hashable {
  /// When the engine had said who it is: its program, and the framework that it has loaded.
  public var startBytes: Int
  /// The most from then on, while the workload was prepared and run.
  public var peakBytes: Int
  /// Of that the most while it ran, when everything was prepared. Absent where the system does not count a peak anew.
  public var runningBytes: Int?

  public init(startBytes: Int, peakBytes: Int, runningBytes: Int?) {
    self.startBytes = startBytes
    self.peakBytes = peakBytes
    self.runningBytes = runningBytes
  }

  /// What the workload takes, and the framework's start does not.
  public var workloadBytes: Int { max(0, peakBytes - startBytes) }
}
