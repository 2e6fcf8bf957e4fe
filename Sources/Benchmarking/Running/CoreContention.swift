import Convolution
import Foundation
import OperatingSystem

/// How long threads that are timed wait for a core: the kernel's own account of every thread of a process and of those that it
/// started. What others do on other cores does not count, what they do on these does, to the nanosecond.
package struct CoreContention {
  /// Nanoseconds on a core, and ready without one.
  package typealias Spent = (running: Double, waiting: Double)

  private let threads: [Int32: Spent]

  package init(threads: [Int32: Spent]) { self.threads = threads }

  /// A reading; `nil` where the system does not tell (no `/proc`, or a kernel without scheduler statistics).
  package static func now(of root: Int32) -> CoreContention? { now(ofThreads: ProcessTree.threads(of: root)) }

  /// A reading of the calling process alone: its children are engines that stand still while it is timed, or are on their way there,
  /// and what they wait for is no time of its.
  package static func ofThisProcess() -> CoreContention? {
    let own = getpid()
    return now(ofThreads: ProcessTree.threads(of: own).filter { $0.process == own })
  }

  /// A reading of the calling thread alone.
  static func ofThisThread() -> CoreContention? {
    spent(at: "/proc/thread-self/schedstat").map { CoreContention(threads: [0: $0]) }
  }

  /// Nanoseconds on a core, nanoseconds ready without one; slices come third.
  private static func spent(at path: String) -> Spent? {
    let fields = (SystemFile.line(of: path) ?? "").split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    return fields.count == 3 ? (fields[0], fields[1]) : nil
  }

  private static func now(ofThreads all: [(process: Int32, thread: Int32)]) -> CoreContention? {
    var threads: [Int32: Spent] = [:]
    var isShell: [Int32: Bool] = [:]
    for (process, thread) in all {
      // The shell that started an engine wakes when the engine may go on, waits until its slice is over, and sleeps again.
      let skips = isShell[process] ?? (SystemFile.line(of: "/proc/\(process)/comm") == "sh")
      isShell[process] = skips
      if skips { continue }
      threads[thread] = spent(at: "/proc/\(process)/task/\(thread)/schedstat")
    }
    return threads.isEmpty || threads.allSatisfy { $0.value.running == 0 } ? nil : CoreContention(threads: threads)
  }

  /// What threads ran and waited between two readings, in nanoseconds.
  package static func spent(from start: CoreContention?, to end: CoreContention?) -> Spent? {
    guard let start, let end else { return nil }
    var (running, waiting) = (0.0, 0.0)
    for (thread, spent) in end.threads {
      let before = start.threads[thread] ?? (0, 0)
      running += max(0, spent.running - before.running)
      waiting += max(0, spent.waiting - before.waiting)
    }
    return (running, waiting)
  }

  /// The share of some times in which threads were ready to run and had no core; `nil` where none were.
  package static func waitingFraction(of spent: [Spent]) -> Double? {
    let (running, waiting) = spent.reduce((0, 0)) { ($0.0 + $1.running, $0.1 + $1.waiting) }
    return running + waiting > 0 ? waiting / (running + waiting) : nil
  }
}
