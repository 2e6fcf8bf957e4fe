import Foundation
import OperatingSystem
import Results
import Synchronization

/// One child process that reads and writes line by line. It notices every way in which a child can fail, and its errors
/// name the way.
///
/// Not safe to use from several threads at once: the engine that owns it asks one thing at a time.
final class ProcessWorker: @unchecked Sendable {
  /// Why no line came.
  enum Failure: Error, Hashable {
    case cannotStart(String)
    case exited(String)
    case timedOut(seconds: Double)
    case endedInsideLine(String)
    case lineTooLong(bytes: Int)
  }

  private static let logBytesKept = 8 << 10

  private let child: ChildProcess
  private let requests, replies, log: Descriptor
  private let logTail = Mutex<[UInt8]>([])
  private let logEnded = DispatchSemaphore(value: 0)
  private var received: [UInt8] = []
  private var isSuspended = false

  /// Starts `command` with the shell, in `directory`.
  /// - Parameters:
  ///   - command: for the shell.
  ///   - directory: where it runs; `nil` for this process's folder.
  ///   - surroundings: what it sees of this process and the machine.
  ///   - exchange: the folder of its exchange files.
  /// - Throws: ``Failure/cannotStart(_:)``. A command that the shell cannot find starts, and ends with status 127.
  init(
    command: String, directory: URL?, surroundings: EngineSurroundings, exchange: String
  ) throws(Failure) {
    let (shell, words) = surroundings.sandbox?.words(command, writing: exchange) ?? ("/bin/sh", ["-c", command])
    do throws(ChildProcess.Failure) {
      child = try ChildProcess(
        shell, words,
        environment: surroundings.variables(of: ProcessInfo.processInfo.environment, temporaries: exchange),
        directory: directory?.path(percentEncoded: false), input: .pipe, output: .pipe, errors: .pipe)
    } catch { throw .cannotStart("\(error)") }
    guard let requests = child.input, let replies = child.output, let log = child.errors else {
      preconditionFailure("expected three pipes to the engine, found fewer")
    }
    (self.requests, self.replies, self.log) = (requests, replies, log)
    drainLog()
  }

  deinit { stop() }

  /// Reads stderr for as long as it is open, so that a flood of it never blocks the child, and keeps its end.
  private func drainLog() {
    Thread.detachNewThread { [weak self, log, logEnded] in
      while let chunk = log.read(), !chunk.isEmpty, let self {
        logTail.withLock { tail in
          tail += chunk.suffix(Self.logBytesKept)
          if tail.count > Self.logBytesKept { tail.removeFirst(tail.count - Self.logBytesKept) }
        }
      }
      logEnded.signal()
    }
  }

  /// The last lines that the child wrote to stderr, as they may be shown.
  func lastLogLines(_ count: Int = 12) -> String {
    // What it wrote just before it died may still be in the pipe.
    if hasEnded, logEnded.wait(timeout: .now() + 0.5) == .success { logEnded.signal() }
    let text = logTail.withLock { String(decoding: $0, as: UTF8.self) }
    return text.split(separator: "\n", omittingEmptySubsequences: true).suffix(count)
      .map { PrintableText.escaped(String($0), limit: 500) }.joined(separator: "\n")
  }

  /// Whether the child is gone. It is not asked anything more then.
  var hasEnded: Bool { child.ending != nil }

  /// Whether it left by itself and says that all was well.
  var hasEndedWell: Bool { child.ending == .exited(0) }

  /// What it had started in other process groups and left running when it ended; that is ended, too.
  var leftBehind: [String] { child.leftBehind }

  /// Whether the child has written something without a request.
  func hasUnaskedOutput() -> Bool {
    // The end of its output counts as readable, although nothing is left to read.
    if received.isEmpty, replies.isReadable(), let chunk = replies.read() { received += chunk }
    return !received.isEmpty
  }

  /// Writes one line. A child that no longer listens is noticed when its reply is read.
  func send(_ line: Data) {
    resume()
    requests.write(line + [0x0A])
  }

  /// The next line of stdout, without its end.
  ///
  /// The end of the child is noticed by its exit, also where a process that it left holds the pipe open.
  func receive(timeout seconds: Double, longest: Int) throws(Failure) -> [UInt8] {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var searched = 0
    while true {
      if let end = received[searched...].firstIndex(of: 0x0A) {
        defer { received.removeSubrange(...end) }
        return Array(received[..<end])
      }
      searched = received.count
      guard received.count < longest else { throw .lineTooLong(bytes: longest) }
      let left = (deadline - ContinuousClock.now).milliseconds
      guard left > 0 else { throw .timedOut(seconds: seconds) }
      // Its end first: what it wrote before is in the pipe by then.
      let hadEnded = hasEnded
      if hadEnded, !replies.isReadable() { throw endOfOutput() }
      var descriptors = [
        pollfd(fd: replies.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: child.endSignal.number, events: Int16(POLLIN), revents: 0),
      ]
      guard hadEnded || poll(&descriptors, 2, Int32(min(left.rounded(.up), 60_000))) > 0 else { continue }
      guard hadEnded || descriptors[0].revents != 0 else { continue }
      guard let chunk = replies.read(), !chunk.isEmpty else { throw endOfOutput() }
      received += chunk
    }
  }

  private func endOfOutput() -> Failure {
    let partial = String(decoding: received.prefix(200), as: UTF8.self).printable
    guard received.isEmpty else { return .endedInsideLine(partial) }
    guard let ending = child.wait(seconds: 2) else { return .exited("closed its output but did not exit") }
    return .exited(Self.describe(ending))
  }

  /// The child.
  var processIdentifier: Int32 { child.identifier }

  /// CPU time of the child and of what it started, in nanoseconds; `nil` where the system does not tell.
  func cpuNanoseconds() -> UInt64? { child.cpuNanoseconds() }

  /// Has events counted of the child and of what it started and will start, which stand still or wait meanwhile.
  func startCounting(_ events: [CountedEvent]) throws(EventCounters.Refusal) { try child.startCounting(events) }

  /// What was counted since; `nil` where nothing is, or a counter was not there all the time.
  func counts() -> [CountedEvent: UInt64]? { child.counts() }

  /// Resident memory of the child and of what it started; `nil` where the system does not tell.
  func memory() -> ProcessMemory? { child.memory() }

  /// Has the peak of that be counted from here on.
  /// - Returns: whether the system does that.
  func restartPeakMemory() -> Bool { child.restartPeakMemory() }

  /// Stops the child and what it started, until something is sent to it.
  func suspend() {
    child.signalAll(SIGSTOP)
    isSuspended = true
  }

  /// Lets them go on, and waits until they are at rest.
  func resume() {
    guard isSuspended else { return }
    child.signalAll(SIGCONT)
    child.settle()
    isSuspended = false
  }

  /// Python's interpreter, where the child or something that it started is one.
  var pythonInterpreter: String? {
    child.commandLines().lazy.compactMap(\.first).first { command in
      command.split(separator: "/").last?.hasPrefix("python") == true
    }
  }

  /// Closes the child's stdin, which tells it to exit, and kills it with everything it started if it does not.
  func stop(patience seconds: Double = 1) {
    resume()
    requests.close()
    if child.wait(seconds: seconds) == nil { kill() }
  }

  /// Ends the child and the processes of its group at once.
  func kill() { child.killGroup() }

  /// `signal 11 (SIGSEGV)` or `status 3`. A shell reports its child's signal as 128 more.
  private static func describe(_ ending: ChildProcess.Ending) -> String {
    switch ending {
    case .signalled(let signal): "killed by \(name(ofSignal: signal))"
    case .exited(127): "exited with status 127 (command not found)"
    case .exited(let status) where status > 128 && status < 160: "killed by \(name(ofSignal: status - 128))"
    case .exited(let status): "exited with status \(status)"
    }
  }

  private static func name(ofSignal number: Int32) -> String {
    let names: [Int32: String] = [
      SIGSEGV: "SIGSEGV", SIGABRT: "SIGABRT", SIGKILL: "SIGKILL", SIGILL: "SIGILL", SIGFPE: "SIGFPE",
      SIGBUS: "SIGBUS", SIGTERM: "SIGTERM", SIGTRAP: "SIGTRAP", SIGINT: "SIGINT", SIGPIPE: "SIGPIPE",
    ]
    return names[number].map { "signal \(number) (\($0))" } ?? "signal \(number)"
  }
}

extension ProcessWorker.Failure: CustomStringConvertible {
  var description: String {
    switch self {
    case .cannotStart(let why): "the engine cannot be started: \(why)"
    case .exited(let how): "the engine \(how)"
    case .timedOut(let seconds): "the engine did not reply within \(Self.seconds(seconds)) s and was killed"
    case .endedInsideLine(let text): "the engine ended in the middle of a line: '\(text)'"
    case .lineTooLong(let bytes): "the engine wrote more than \(bytes >> 20) MiB without an end of line"
    }
  }

  /// The same digits in every locale.
  private static func seconds(_ value: Double) -> String {
    value == value.rounded() && value < 1e15 ? "\(Int(value))" : "\(value)"
  }
}
