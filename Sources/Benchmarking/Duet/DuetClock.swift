import OperatingSystem

/// What a block's difference is of.
public enum DuetClock: String, Hashable, Sendable, Codable, CaseIterable {
  /// How long it took: what whoever waits for a result waits for.
  case wall
  /// For how long its threads ran. What else runs on the machine takes a core from a thread, and the wall clock goes on; this one
  /// stands still meanwhile.
  case cpu

  var words: String { self == .wall ? "wall clock" : "CPU time" }
}

/// A difference by either clock, of one block.
public struct DuetDifference: Hashable, Sendable {
  /// ln(t_second / t_first).
  public var wall: Double
  /// The same of the CPU time; `nil` where the system does not tell, or an engine's times are its own claims.
  public var cpu: Double?
  /// The same of what the processor counted, which is shown and decides nothing: more instructions may be the faster ones.
  package var counts: [CountedEvent: Double] = [:]

  public init(wall: Double, cpu: Double? = nil) {
    self.wall = wall
    self.cpu = cpu
  }

  public func on(_ clock: DuetClock) -> Double? {
    switch clock {
    case .wall: wall
    case .cpu: cpu
    }
  }
}

extension [DuetDifference] {
  /// What a clock read in all blocks; nothing where it misses one.
  public func on(_ clock: DuetClock) -> [Double] {
    let found = compactMap { $0.on(clock) }
    return found.count == count ? found : []
  }

  /// What was counted in all blocks; `nil` where it misses one.
  package func of(_ event: CountedEvent) -> [Double]? {
    let found = compactMap { $0.counts[event] }
    return found.count == count ? found : nil
  }
}
