import CSpawn
import Foundation
import Synchronization

/// A child process: the only way in which Assay starts one.
///
/// It leads a process group of its own, has every signal at its default and none blocked (a child inherits what its parent
/// ignores, and a shell's pipelines or a Python engine's workers would never end), and gets no descriptor but its three
/// standard streams. When it ends, what is left of its group is killed, and on Linux what it started in other groups, too.
public final class ChildProcess: Sendable {
  public enum Stream: Sendable { case pipe, null, inherited }

  /// How a process ended.
  public enum Ending: Sendable, Hashable { case exited(Int32), signalled(Int32) }

  /// Why a process did not start.
  public struct Failure: Error, CustomStringConvertible, Hashable {
    public let description: String
  }

  public let identifier: pid_t
  /// This process's ends of the pipes that were asked for.
  public let input, output, errors: Descriptor?

  /// Readable (at its end) as soon as the process has ended, for `poll`.
  public let endSignal: Descriptor

  private struct State {
    var ending: Ending?
    var leftBehind: [String] = []
    var counters: EventCounters?
  }

  private let state = Mutex(State())
  private let times: ProcessTimes
  /// By which its descendants are known.
  private let mark: String
  private let ended = DispatchSemaphore(value: 0)

  /// - Parameters:
  ///   - executable: its path.
  ///   - arguments: without the executable's own name.
  ///   - environment: `nil` for this process's.
  ///   - directory: where it runs; `nil` for this process's folder.
  ///   - input: its standard input.
  ///   - output: its standard output.
  ///   - errors: its standard error.
  /// - Throws: ``Failure`` with the system's reason.
  public init(
    _ executable: String, _ arguments: [String], environment: [String: String]? = nil, directory: String? = nil,
    input: Stream = .null, output: Stream = .pipe, errors: Stream = .null
  ) throws(Failure) {
    var settings = SpawnSettings()
    let end = try Pipe()
    var parents: [Descriptor?] = []
    var childs: [Descriptor] = []
    for (number, stream) in zip([STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO], [input, output, errors]) {
      switch stream {
      case .inherited: parents.append(nil)
      case .null:
        parents.append(nil)
        settings.openNull(as: number)
      case .pipe:
        let pipe = try Pipe()
        let (own, given) = number == STDIN_FILENO ? (pipe.writing, pipe.reading) : (pipe.reading, pipe.writing)
        parents.append(own)
        childs.append(given)
        settings.duplicate(given, as: number)
      }
    }
    if let directory { settings.changeDirectory(directory) }
    var child: pid_t = 0
    var reason: Int32 = 0
    Self.prepared
    let mark = "\(getpid())-\(UUID().uuidString)"
    var variables = environment ?? ProcessInfo.processInfo.environment
    variables[Orphans.mark] = mark
    let isRegistered = Leftovers.register {
      reason = settings.spawn(&child, executable, arguments, variables)
      return reason == 0 ? child : nil
    }
    // Only the child may hold its ends, or an end of file would never be seen.
    for descriptor in childs { descriptor.close() }
    guard isRegistered else {
      throw Failure(description: reason == 0 ? "this run is ending" : String(cString: strerror(reason)))
    }
    identifier = child
    times = ProcessTimes(of: child, mark: mark)
    self.mark = mark
    (self.input, self.output, self.errors) = (parents[0], parents[1], parents[2])
    endSignal = end.reading
    let ending = end.writing
    Thread.detachNewThread { [self] in reap(mark, andClose: ending) }
  }

  /// What a process with children needs, once: a write to one that has ended is an error and does not end this process,
  /// and the orphans that it leaves can be reaped.
  private static let prepared: Void = {
    signal(SIGPIPE, SIG_IGN)
    assay_adopt_orphans()
  }()

  /// Starts a program that goes on when this one ends, such as a browser: nothing is heard of it again, and it is no leftover.
  /// - Parameters:
  ///   - name: looked up on the path.
  ///   - arguments: the words after it.
  /// - Throws: ``Failure`` with the system's reason, or when nothing on the path has this name.
  public static func launch(_ name: String, _ arguments: [String]) throws(Failure) {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    guard let program = folders.map({ String("\($0)/\(name)") }).first(where: { access($0, X_OK) == 0 }) else {
      throw Failure(description: "there is no \(name) on the path")
    }
    var settings = SpawnSettings()
    for number in STDIN_FILENO...STDERR_FILENO { settings.openNull(as: number) }
    var child: pid_t = 0
    // It outlives whoever started this process, too.
    var variables = ProcessInfo.processInfo.environment
    variables[Orphans.mark] = nil
    let reason = settings.spawn(&child, program, arguments, variables)
    guard reason == 0 else { throw Failure(description: String(cString: strerror(reason))) }
    Leftovers.release(child)
  }

  /// Waits for the end of the process, on a thread of its own.
  private func reap(_ mark: String, andClose ending: Descriptor) {
    var information = siginfo_t()
    while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    // Not yet reaped, so that its number is nobody else's: what it left running in its group ends with it.
    kill(-identifier, SIGKILL)
    let status = Leftovers.reap(group: identifier)
    let signal = status & 0x7F
    let left = Leftovers.endOrphans(of: mark)
    state.withLock { state in
      state.ending = signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
      state.leftBehind = left
    }
    ending.close()
    ended.signal()
  }

  /// How it ended; `nil` while it runs.
  public var ending: Ending? { state.withLock { $0.ending } }

  /// What it had started in other groups than its own and left running when it ended; it is ended, too.
  public var leftBehind: [String] { state.withLock { $0.leftBehind } }

  /// Waits until it has ended, at most for so long.
  @discardableResult
  public func wait(seconds: Double = .infinity) -> Ending? {
    let deadline = seconds.isFinite ? DispatchTime.now() + seconds : .distantFuture
    // Passed on, for whoever waits next.
    if ending == nil, ended.wait(timeout: deadline) == .success { ended.signal() }
    return ending
  }

  /// Ends the process and its group at once, and waits until it is gone.
  public func killGroup() {
    guard ending == nil else { return }
    // Until it is reaped its number is nobody else's; a process that was reaped in between has taken its group with it.
    kill(-identifier, SIGKILL)
    wait(seconds: 5)
  }

  /// Sends a signal to the process, its group and whatever else it started, while it runs.
  public func signalAll(_ signal: Int32) {
    Leftovers.signal(signal, group: identifier)
    // What left the group. Such a process may end in between, and its number be given to another one, at worst to one that
    // stands still until this run ends: numbers are given out in turn, so that it takes thousands of others first.
    let all = ProcessTree.processes(of: identifier).union(Orphans.adopted(of: mark))
    for process in all where getpgid(process) != identifier && process > 1 {
      kill(process, signal)
    }
  }

  /// Waits until none of its threads, nor of its descendants', is on a core or ready for one, for two milliseconds at most: those
  /// that a signal woke look at it and sleep again, and would do so while something is timed.
  public func settle() {
    for _ in 0..<20 {
      usleep(100)
      let isBusy = ProcessTree.threads(of: identifier).contains { process, thread in
        // The name in parentheses may hold anything, a parenthesis too; the state follows it.
        let text = SystemFile.line(of: "/proc/\(process)/task/\(thread)/stat") ?? ""
        return text[(text.lastIndex(of: ")") ?? text.startIndex)...].dropFirst(2).first == "R"
      }
      if !isBusy { return }
    }
  }

  /// The words of the process's and its descendants' command lines, a program that is no path made one by the folder that its
  /// process works in; nothing where the system does not tell.
  public func commandLines() -> [[String]] {
    ProcessTree.processes(of: identifier).sorted().compactMap { process in
      guard let text = SystemFile.text(of: "/proc/\(process)/cmdline"), !text.isEmpty else { return nil }
      var words = text.split(separator: "\0").map(String.init)
      if let program = words.first, program.contains("/"), !program.hasPrefix("/"),
        let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
      {
        words[0] = "\(folder)/\(program)"
      }
      return words
    }
  }

  /// CPU time of the process and of its descendants since they started, in nanoseconds; `nil` where the system does not tell.
  public func cpuNanoseconds() -> UInt64? { times.nanoseconds() }

  /// Has events counted of its threads, of its descendants', and of all that these start later, from here on. It stands still or
  /// waits for a request meanwhile.
  /// - Throws: `EventCounters.Refusal` where the system counts them not.
  package func startCounting(_ events: [CountedEvent]) throws(EventCounters.Refusal) {
    let counters = try EventCounters(of: identifier, events)
    state.withLock { $0.counters = counters }
  }

  /// What was counted since; `nil` where nothing is, or a counter was not there all the time.
  package func counts() -> [CountedEvent: UInt64]? { state.withLock { $0.counters }?.counts() }

  /// Runs a tool to its end.
  /// - Returns: what it printed, or `nil` when it did not start or ended with another status than 0.
  public static func output(of executable: String, _ arguments: [String]) -> String? {
    guard let child = try? ChildProcess(executable, arguments), let output = child.output else { return nil }
    var bytes: [UInt8] = []
    while let chunk = output.read(), !chunk.isEmpty { bytes += chunk }
    return child.wait() == .exited(0) ? String(decoding: bytes, as: UTF8.self) : nil
  }
}

/// A file descriptor that closes once, when it is told to or goes out of scope.
public final class Descriptor: Sendable {
  public let number: Int32
  private let isOpen = Mutex(true)

  package init(_ number: Int32) { self.number = number }

  deinit { close() }

  public func close() {
    isOpen.withLock { isOpen in
      if isOpen { _ = Foundation.close(number) }
      isOpen = false
    }
  }

  /// What is there to be read, at least a byte; empty at the end, `nil` on an error.
  public func read(atMost count: Int = 1 << 16) -> [UInt8]? {
    var found = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      repeat { found = Foundation.read(number, buffer.baseAddress, count) } while found < 0 && errno == EINTR
      filled = max(0, found)
    }
    return found < 0 ? nil : bytes
  }

  /// Whether something (or the end) can be read, now or within so many milliseconds.
  public func isReadable(within milliseconds: Int32 = 0) -> Bool {
    var descriptor = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, milliseconds) > 0
  }

  /// - Returns: the system's reason when not all of it could be written.
  @discardableResult
  public func write(_ bytes: some Sequence<UInt8>) -> Int32? {
    let bytes = Array(bytes)
    var offset = 0
    while offset < bytes.count {
      let count = bytes[offset...].withUnsafeBytes { Foundation.write(number, $0.baseAddress, $0.count) }
      if count >= 0 { offset += count } else if errno != EINTR { return errno }
    }
    return nil
  }
}

extension ChildProcess {
  /// Both ends close on exec: a child has only what it is given.
  private struct Pipe {
    let reading, writing: Descriptor

    init() throws(Failure) {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { throw Failure(description: String(cString: strerror(errno))) }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      (reading, writing) = (Descriptor(ends[0]), Descriptor(ends[1]))
    }
  }
}
