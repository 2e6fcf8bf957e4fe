import CPerfEvents
import Foundation
import Synchronization

/// What the kernel counts of a thread outside itself.
public enum CountedEvent: String, CaseIterable, Hashable, Sendable {
  /// Those that were retired: what was begun and thrown away is no part.
  case instructions
  case cycles
  /// Nanoseconds on a core: the kernel's own count, which needs no counter of the processor.
  case taskClock

  /// What a processor counts, where the system lets it be asked.
  public static let ofProcessor: [Self] = [.instructions, .cycles]
}

/// Counters of the threads of a child and of all that these start later, from the moment of its opening.
package final class EventCounters: Sendable {
  /// Why nothing is counted.
  package struct Refusal: Error, CustomStringConvertible, Hashable {
    package let description: String
  }

  private let counters: [CountedEvent: [Descriptor]]

  /// The child stands still or waits for a request: a thread that it starts meanwhile would not be counted.
  /// - Parameters:
  ///   - child: whose threads, and whose descendants', are counted.
  ///   - events: all of them, or none.
  /// - Throws: ``Refusal`` where the system counts one of these events not, or not for this user.
  package init(of child: pid_t, _ events: [CountedEvent]) throws(Refusal) {
    #if os(Linux)
      var counters: [CountedEvent: [Descriptor]] = [:]
      for (_, thread) in ProcessTree.threads(of: child) {
        for event in events {
          let opened = assay_count_open(Int32(event.number), thread)
          // One that has ended in between has nothing to count.
          if opened == -ESRCH { continue }
          guard opened >= 0 else { throw Refusal(error: -opened, event) }
          counters[event, default: []].append(Descriptor(opened))
        }
      }
      guard events.allSatisfy({ counters[$0] != nil }) else {
        throw Refusal(description: "process \(child) has no thread that could be counted")
      }
      self.counters = counters
    #else
      throw Refusal(description: "this system has no perf_event_open")
    #endif
  }

  /// Counts so far, each event's of all threads together.
  /// - Returns: `nil` where a counter cannot be read, or did not have its place in the processor all the time: what others count
  ///   leaves it too few, and an extrapolated count is none.
  package func counts() -> [CountedEvent: UInt64]? {
    #if os(Linux)
      var found: [CountedEvent: UInt64] = [:]
      for (event, descriptors) in counters {
        for descriptor in descriptors {
          let reading = assay_count_read(descriptor.number)
          guard reading.error == 0, reading.running == reading.enabled else { return nil }
          found[event, default: 0] += reading.value
        }
      }
      return found
    #else
      return nil
    #endif
  }
}

#if os(Linux)
  extension CountedEvent {
    fileprivate var number: Int {
      switch self {
      case .instructions: ASSAY_COUNT_INSTRUCTIONS
      case .cycles: ASSAY_COUNT_CYCLES
      case .taskClock: ASSAY_COUNT_TASK_CLOCK
      }
    }
  }

  extension EventCounters.Refusal {
    fileprivate init(error: Int32, _ event: CountedEvent) {
      switch error {
      case ENOENT, EOPNOTSUPP, ENODEV:
        description = "the processor counts no \(event.rawValue) for this system (few virtual machines do)"
      case EACCES, EPERM:
        let level = SystemFile.line(of: "/proc/sys/kernel/perf_event_paranoid") ?? "unknown"
        description =
          "the system allows it not: kernel.perf_event_paranoid is \(level), expected 2 or less, or the capability "
          + "CAP_PERFMON (in a container --cap-add PERFMON)"
      default: description = "perf_event_open: \(String(cString: strerror(error)))"
      }
    }
  }
#endif
