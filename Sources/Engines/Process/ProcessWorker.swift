import Foundation
import Synchronization

/// One child process that is spoken to a line at a time. It owns the other side of every way in which a child can fail;
/// what it throws names the way.
///
/// Not safe to use from several threads at once: the engine that owns it asks one thing at a time.
final class ProcessWorker: @unchecked Sendable {
  /// Why no line came.
  enum Failure: Error, Hashable {
    case cannotStart(String)
    case exited(String)
    case timedOut(seconds: Double)
    case endedInsideLine(String)
    case lineTooLong
  }

  /// A reply of this size is not an answer: 10⁶ durations take 10 MB.
  private static let longestLine = 64 << 20
  private static let logBytesKept = 8 << 10

  private let process = Process()
  private let requests = Pipe()
  private let replies = Pipe()
  private let log = Pipe()
  private let logTail = Mutex<[UInt8]>([])
  private let logEnded = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)
  private var received: [UInt8] = []
  private var hasEnded = false

  /// Starts `command` with the shell, in `directory`.
  /// - Throws: ``Failure/cannotStart(_:)``. A command that the shell cannot find starts, and ends with status 127.
  init(command: String, directory: URL?) throws(Failure) {
    // A child that dies while it is written to must cost a case, not this process.
    signal(SIGPIPE, SIG_IGN)
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", command]
    if let directory { process.currentDirectoryURL = directory }
    process.standardInput = requests
    process.standardOutput = replies
    process.standardError = log
    process.terminationHandler = { [ended] _ in ended.signal() }
    do { try process.run() } catch { throw .cannotStart("\(error.localizedDescription)") }
    // Only the child may hold these ends, or an end of file would never be seen.
    try? requests.fileHandleForReading.close()
    try? replies.fileHandleForWriting.close()
    try? log.fileHandleForWriting.close()
    drainLog()
  }

  deinit { stop() }

  /// Reads stderr for as long as it is open, so that a flood of it never blocks the child, and keeps its end.
  private func drainLog() {
    let handle = log.fileHandleForReading
    Thread.detachNewThread { [weak self, logEnded] in
      while true {
        let chunk = handle.availableData
        guard !chunk.isEmpty else { break }
        guard let self else { break }
        logTail.withLock { tail in
          tail += chunk.suffix(Self.logBytesKept)
          if tail.count > Self.logBytesKept { tail.removeFirst(tail.count - Self.logBytesKept) }
        }
      }
      logEnded.signal()
    }
  }

  /// The last lines that the child wrote to stderr.
  func lastLogLines(_ count: Int = 12) -> String {
    // What it said just before it died is on its way through the pipe.
    if hasEnded, logEnded.wait(timeout: .now() + 0.5) == .success { logEnded.signal() }
    let text = logTail.withLock { String(decoding: $0, as: UTF8.self) }
    return text.split(separator: "\n", omittingEmptySubsequences: true).suffix(count).joined(separator: "\n")
  }

  /// Writes one line. A child that no longer listens is noticed when its reply is read.
  func send(_ line: Data) { try? requests.fileHandleForWriting.write(contentsOf: line + [0x0A]) }

  /// The next line of stdout, without its end.
  func receive(timeout seconds: Double) throws(Failure) -> [UInt8] {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var searched = 0
    while true {
      if let end = received[searched...].firstIndex(of: 0x0A) {
        defer { received.removeSubrange(...end) }
        return Array(received[..<end])
      }
      searched = received.count
      guard received.count < Self.longestLine else { throw .lineTooLong }
      let left = (deadline - ContinuousClock.now).milliseconds
      guard left > 0 else { throw .timedOut(seconds: seconds) }
      var descriptor = pollfd(
        fd: replies.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&descriptor, 1, Int32(min(left.rounded(.up), 60_000)))
      guard ready > 0 else { continue }
      let chunk = replies.fileHandleForReading.availableData
      guard !chunk.isEmpty else { throw endOfOutput() }
      received += chunk
    }
  }

  private func endOfOutput() -> Failure {
    let partial = String(decoding: received.prefix(200), as: UTF8.self)
    guard received.isEmpty else { return .endedInsideLine(partial) }
    guard waitForEnd(seconds: 2) else { return .exited("closed its output but did not exit") }
    return .exited(Self.describe(process))
  }

  private func waitForEnd(seconds: Double) -> Bool {
    if hasEnded { return true }
    hasEnded = ended.wait(timeout: .now() + seconds) == .success
    return hasEnded
  }

  /// Closes the child's stdin, which tells it to exit, and kills it with everything it started if it does not.
  func stop(patience seconds: Double = 1) {
    try? requests.fileHandleForWriting.close()
    if !waitForEnd(seconds: seconds) { kill() }
  }

  /// Ends the child and the processes of its group at once.
  func kill() {
    guard !hasEnded, process.processIdentifier > 0 else { return }
    let child = process.processIdentifier
    // A shell's children share its group; this process's own group must never be meant.
    if getpgid(child) == child, child != getpgrp() { _ = Foundation.kill(-child, SIGKILL) }
    _ = Foundation.kill(child, SIGKILL)
    _ = waitForEnd(seconds: 5)
  }

  /// `signal 11 (SIGSEGV)` or `status 3`. A shell reports its child's signal as 128 more.
  private static func describe(_ process: Process) -> String {
    let status = process.terminationStatus
    if process.terminationReason == .uncaughtSignal { return "killed by \(name(ofSignal: status))" }
    if status == 127 { return "exited with status 127 (command not found)" }
    if status > 128, status < 160 { return "killed by \(name(ofSignal: status - 128))" }
    return "exited with status \(status)"
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
    case .timedOut(let seconds): "the engine did not reply within \(String(format: "%g", seconds)) s and was killed"
    case .endedInsideLine(let text): "the engine ended in the middle of a line: '\(text)'"
    case .lineTooLong: "the engine wrote more than 64 MiB without an end of line"
    }
  }
}

extension Duration {
  var milliseconds: Double { Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15 }
}
