import Foundation
import OperatingSystem

/// What this process and the engines that it started have of the machine while they are timed: as many cores as they need, and a
/// share of those that other work does not halve.
public enum TimedCores {
  /// What the system granted.
  public struct Grant: Sendable {
    /// What every thread is pinned to; none where the system has no such call, or fewer processors.
    public var processors: [Int]
    /// The nice value of all threads; `nil` where it is what it was, since the system has none of a thread, or lets nobody but
    /// root change it.
    public var nice: Int?
  }

  /// The processors that this process may use, as it was started; empty where the system does not tell.
  static let allowed: [Int] = {
    let line = SystemFile.lines(of: "/proc/self/status").first { $0.hasPrefix("Cpus_allowed_list:") }
    return processorList(line.map { String($0.drop { $0 != ":" }.dropFirst()) } ?? "").sorted()
  }()

  /// Pins every thread of this process and of its descendants to `count` of the allowed processors, and gives them the least nice
  /// value there is: beside a load as heavy as a thread that would otherwise lose half of its core, some milliseconds at a time.
  @discardableResult
  public static func claim(_ count: Int) -> Grant {
    let chosen = choose(count, of: allowed, siblings: siblings)
    let isPinned = chosen.count == count && confine(to: chosen)
    let isPreferred = setNice(foremost)
    if isPreferred { setSessionNice(Int(foremost)) } else { _ = setNice(usual) }
    return Grant(processors: isPinned ? chosen : [], nice: isPreferred ? Int(foremost) : nil)
  }

  /// Gives every thread all allowed processors again, and the nice value that this program was started with: what is not timed,
  /// such as verification, may use all of them, and waits like everybody.
  public static func release() {
    _ = confine(to: allowed)
    _ = setNice(usual)
    if let usualOfSession { setSessionNice(usualOfSession) }
  }

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
    return everyThread { setAffinity($0, 8 * mask.count, mask) == 0 }
  }

  /// The least nice value that there is, and that of this process as it was started.
  private static let (foremost, usual) = (Int32(-20), getpriority(ofProcess, 0))

  #if canImport(Glibc)
    private static let ofProcess = __priority_which_t(PRIO_PROCESS.rawValue)
  #else
    private static let ofProcess = PRIO_PROCESS
  #endif

  /// On Linux a nice value belongs to a thread.
  private static func setNice(_ value: Int32) -> Bool { everyThread { setpriority(ofProcess, id_t($0), value) == 0 } }

  /// Where the kernel schedules sessions as groups, a thread's nice value counts within its session, and the session's own against
  /// the others.
  private static let sessionFile = "/proc/self/autogroup"

  private static var sessionNice: Int? {
    SystemFile.line(of: sessionFile).flatMap { line in line.split(separator: " ").last.flatMap { Int($0) } }
  }

  /// As it was before this process set it; `nil` where sessions have none. The least value is that of another of these processes,
  /// which times at this moment or was killed when it did.
  private static let usualOfSession = sessionNice.map { $0 == Int(foremost) ? 0 : $0 }

  private static func setSessionNice(_ value: Int) {
    guard usualOfSession != nil, sessionNice != value else { return }
    _ = SystemFile.write("\(value)", to: sessionFile)
  }

  /// A thread inherits what its creator has: the second round meets those that were made during the first. One that has ended
  /// meanwhile needs nothing.
  /// - Returns: false, too, where the system lists no threads.
  private static func everyThread(_ change: (pid_t) -> Bool) -> Bool {
    (0..<2).allSatisfy { _ in
      let threads = ProcessTree.threads(of: ProcessInfo.processInfo.processIdentifier)
      return !threads.isEmpty && threads.allSatisfy { change($0.thread) || errno == ESRCH }
    }
  }
}
