import Convolution
import Foundation
import OperatingSystem

/// Keeps this process and the engines that it started on as many cores as are timed.
public enum Affinity {
  /// The processors that this process may use, as it was started; empty where the system does not tell.
  static let allowed: [Int] = {
    let line = SystemFile.lines(of: "/proc/self/status").first { $0.hasPrefix("Cpus_allowed_list:") }
    return processorList(line.map { String($0.drop { $0 != ":" }.dropFirst()) } ?? "").sorted()
  }()

  /// Pins every thread of this process and of its descendants to `count` of the allowed processors.
  /// - Returns: the processors that all of them are pinned to; none where the system has no such call, or fewer processors.
  @discardableResult
  public static func pin(toCores count: Int) -> [Int] {
    let chosen = choose(count, of: allowed, siblings: siblings)
    return chosen.count == count && confine(to: chosen) ? chosen : []
  }

  /// Gives every thread all allowed processors again: what is not timed, such as verification, may use them all.
  public static func release() { _ = confine(to: allowed) }

  /// The last `count` of these processors, for the first ones take the interrupts; one of each core before any core's second
  /// one. Fewer when there are fewer.
  /// - Parameter siblings: the processors that share a core with this one, itself among them.
  package static func choose(_ count: Int, of processors: [Int], siblings: (Int) -> Set<Int>) -> [Int] {
    var (first, further): ([Int], [Int]) = ([], [])
    for processor in processors.reversed() {
      if siblings(processor).isDisjoint(with: first) { first.append(processor) } else { further.append(processor) }
    }
    return (first + further).prefix(max(count, 0)).sorted()
  }

  /// Of `/sys`: `3,11` or `2-3`.
  private static func siblings(_ processor: Int) -> Set<Int> {
    let path = "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list"
    return processorList(SystemFile.line(of: path) ?? "").union([processor])
  }

  /// The processors of a list as the kernel writes it; none of one that it would not write.
  package static func processorList(_ text: String) -> Set<Int> {
    var found: Set<Int> = []
    for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let low = ends.first, let high = ends.last, low <= high, high < 65_536 else { return [] }
      found.formUnion(low...high)
    }
    return found
  }

  private typealias SetAffinity = @convention(c) (Int32, Int, UnsafeRawPointer) -> Int32

  /// Looked up by name: it is an extension of Linux that the C library's headers show to C with `_GNU_SOURCE` alone.
  private static let setAffinity = dlsym(nil, "sched_setaffinity").map { unsafeBitCast($0, to: SetAffinity.self) }

  private static func confine(to processors: [Int]) -> Bool {
    guard let setAffinity, let last = processors.max() else { return false }
    // Little-endian words of 64 bits, as many as the largest number needs.
    var mask = [UInt64](repeating: 0, count: last / 64 + 1)
    for processor in processors { mask[processor / 64] |= 1 << UInt64(processor % 64) }
    // A thread inherits what its creator has: the second round meets those that were made during the first. One that has
    // ended meanwhile needs nothing.
    return (0..<2).allSatisfy { _ in
      ProcessTree.threads(of: ProcessInfo.processInfo.processIdentifier).allSatisfy {
        setAffinity($0.thread, 8 * mask.count, mask) == 0 || errno == ESRCH
      }
    }
  }
}
