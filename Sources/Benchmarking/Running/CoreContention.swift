import Foundation

/// How long threads that are timed wait for a core: the kernel's own account of every thread of this process and of the
/// engines that it started. What others do on other cores does not count, what they do on these does, to the nanosecond.
struct CoreContention {
  private struct Spent {
    var running: Double
    var waiting: Double
  }

  private var threads: [Int32: Spent]

  /// A reading; `nil` where the system does not tell (no `/proc`, or a kernel without scheduler statistics).
  static func now() -> CoreContention? {
    var threads: [Int32: Spent] = [:]
    for (process, thread) in ProcessTree.threads() {
      // Nanoseconds on a core, nanoseconds ready without one, slices.
      let text = (try? String(contentsOfFile: "/proc/\(process)/task/\(thread)/schedstat", encoding: .utf8)) ?? ""
      let fields = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
      if fields.count == 3 { threads[thread] = Spent(running: fields[0], waiting: fields[1]) }
    }
    return threads.isEmpty || threads.allSatisfy { $0.value.running == 0 } ? nil : CoreContention(threads: threads)
  }

  /// The share of the time between two readings in which threads were ready to run and had no core.
  static func waitingFraction(from start: CoreContention?, to end: CoreContention?) -> Double? {
    guard let start, let end else { return nil }
    var (running, waiting) = (0.0, 0.0)
    for (thread, spent) in end.threads {
      let before = start.threads[thread] ?? Spent(running: 0, waiting: 0)
      running += max(0, spent.running - before.running)
      waiting += max(0, spent.waiting - before.waiting)
    }
    return running + waiting > 0 ? waiting / (running + waiting) : nil
  }
}

/// This process and all its descendants.
enum ProcessTree {
  static func threads() -> [(process: Int32, thread: Int32)] {
    var found: [(process: Int32, thread: Int32)] = []
    var pending = [ProcessInfo.processInfo.processIdentifier]
    while let process = pending.popLast() {
      let folder = "/proc/\(process)/task"
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        guard let thread = Int32(name) else { continue }
        found.append((process, thread))
        let children = (try? String(contentsOfFile: "\(folder)/\(name)/children", encoding: .utf8)) ?? ""
        pending += children.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
      }
    }
    return found
  }
}
