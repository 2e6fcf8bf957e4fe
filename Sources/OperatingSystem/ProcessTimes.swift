import Foundation
import Synchronization

/// The CPU time of a child and of its descendants, also of those that left its group, in nanoseconds: finer than the ticks of
/// `/proc/PID/stat`, and with the time of threads that have ended.
final class ProcessTimes: Sendable {
  private let leader: pid_t
  private let mark: String
  /// The last reading of every process that was ever seen, so that the time of one that has ended still counts.
  private let seen = Mutex<[pid_t: UInt64]>([:])

  /// - Parameters:
  ///   - leader: the child.
  ///   - mark: its value of ``Orphans/mark``.
  init(of leader: pid_t, mark: String) {
    self.leader = leader
    self.mark = mark
  }

  /// - Returns: `nil` where the system does not tell.
  func nanoseconds() -> UInt64? {
    #if os(Linux)
      return seen.withLock { seen in
        for process in ProcessTree.processes(of: leader).union(Orphans.adopted(of: mark)) {
          if let time = Self.nanoseconds(of: process) { seen[process] = max(time, seen[process] ?? 0) }
        }
        return seen.isEmpty ? nil : seen.values.reduce(0, +)
      }
    #else
      return nil
    #endif
  }

  #if os(Linux)
    private static func nanoseconds(of process: pid_t) -> UInt64? {
      var clock = clockid_t()
      var time = timespec()
      guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
      return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
  #endif
}

/// The CPU time of this process.
public enum OwnTime {
  /// For how many nanoseconds its threads ran; `nil` where the system does not tell.
  public static func nanoseconds() -> Double? {
    var time = timespec()
    guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return nil }
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }
}
