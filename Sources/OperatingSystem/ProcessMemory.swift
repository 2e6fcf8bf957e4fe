import Foundation

/// Resident memory of a process and of what it started, as the kernel counts it.
///
/// A page that several of the processes share counts for each of them, and a process that has ended counts no more.
public struct ProcessMemory: Hashable, Sendable {
  /// Bytes at this moment.
  public var residentBytes: Int
  /// The most that each process had so far, or since the count began anew, added up.
  public var peakBytes: Int

  public init(residentBytes: Int, peakBytes: Int) {
    self.residentBytes = residentBytes
    self.peakBytes = peakBytes
  }

  /// - Parameter processes: those that are counted together.
  /// - Returns: `nil` where the system does not tell.
  init?(of processes: Set<pid_t>) {
    let found = processes.compactMap { process in
      SystemFile.text(of: "/proc/\(process)/status").flatMap(Self.init(status:))
    }
    guard !found.isEmpty else { return nil }
    self.init(
      residentBytes: found.reduce(0) { $0 + $1.residentBytes }, peakBytes: found.reduce(0) { $0 + $1.peakBytes })
  }

  /// - Parameter status: the text of `/proc/PID/status`.
  package init?(status: String) {
    var kibibytes: [Substring: Int] = [:]
    for line in status.split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count == 3, words[2] == "kB", let count = Int(words[1]) else { continue }
      kibibytes[words[0]] = count
    }
    guard let resident = kibibytes["VmRSS:"], let peak = kibibytes["VmHWM:"] else { return nil }
    self.init(residentBytes: resident << 10, peakBytes: peak << 10)
  }
}

extension ChildProcess {
  /// Of the process and what it started; `nil` where the system does not tell.
  public func memory() -> ProcessMemory? { ProcessMemory(of: ProcessTree.processes(of: identifier)) }

  /// Has the count of the peak begin anew, at what is resident now.
  /// - Returns: whether the system does that for all of the processes.
  public func restartPeakMemory() -> Bool {
    let restarted = ProcessTree.processes(of: identifier).map { process in
      guard let file = FileHandle(forWritingAtPath: "/proc/\(process)/clear_refs") else { return false }
      // 5 resets the high-water mark of the resident set.
      return (try? file.write(contentsOf: Data("5".utf8))) != nil
    }
    return !restarted.isEmpty && !restarted.contains(false)
  }
}
