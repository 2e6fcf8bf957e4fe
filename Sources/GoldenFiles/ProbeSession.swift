import Foundation
import OperatingSystem
import Problems

/// A child's line for one file, in JSON. So many bytes as it says follow the line as they are.
package protocol ProbeReply: Decodable {
  /// What the child could not make sense of the file for.
  var error: GoldenFileError? { get }
  var payloadBytes: Int { get }
}

/// A child's answer for one file that it found sound.
package struct ProbeAnswer<Reply: ProbeReply> {
  package let reply: Reply
  package let payload: [UInt8]
}

/// Tries files in children of this process under limits of memory and time, so that a file which crashes or hangs its parser
/// costs one error.
package struct ProbeRunner<Reply: ProbeReply> {
  package typealias Verdict = Result<ProbeAnswer<Reply>, GoldenFileError>

  /// The child: an executable and its hidden subcommand.
  package let executable: String
  package let subcommand: String
  package let resources: GoldenFileProbe.Resources
  /// The most bytes that may follow an answer.
  package let maximumPayload: Int
  /// What the child is asked for some paths, as its one argument.
  package let request: (_ paths: [String]) throws -> String

  package init(
    executable: String, subcommand: String, resources: GoldenFileProbe.Resources, maximumPayload: Int = 0,
    request: @escaping (_ paths: [String]) throws -> String
  ) {
    self.executable = executable
    self.subcommand = subcommand
    self.resources = resources
    self.maximumPayload = maximumPayload
    self.request = request
  }

  /// Gives one verdict for each path, in order.
  ///
  /// A child that fails on a file may have been harmed by an earlier one, so that file is tried again by a fresh child; only
  /// what that one says counts.
  /// - Throws: what `receive` throws, after which no other file is tried.
  package func run<Failure: Error>(_ paths: [String], _ receive: (Verdict) throws(Failure) -> Void) throws(Failure) {
    var done = 0
    while done < paths.count {
      let session = ProbeSession(runner: self, paths: Self.batch(paths[done...]))
      var answered = 0
      let failure = try session.run { (verdict) throws(Failure) in
        answered += 1
        try receive(verdict)
      }
      done += answered
      if answered == 0, let failure {
        try receive(.failure(failure))
        done += 1
      }
    }
  }

  /// Not more than the system takes as one argument of a command, 128 KiB on Linux.
  private static func batch(_ paths: ArraySlice<String>) -> [String] {
    var bytes = 0
    let fitting = paths.prefix(400).prefix { path in
      bytes += path.utf8.count + 8
      return bytes < 100_000
    }
    return Array(fitting.isEmpty ? paths.prefix(1) : fitting)
  }
}

/// One life of a probing child: started, listened to until it has answered for all its files or has failed.
struct ProbeSession<Reply: ProbeReply> {
  let runner: ProbeRunner<Reply>
  let paths: [String]

  /// - Parameter receive: takes the verdict of each file that the child answered for.
  /// - Returns: how it failed on the next one, if it did.
  func run<Failure: Error>(
    _ receive: (ProbeRunner<Reply>.Verdict) throws(Failure) -> Void
  ) throws(Failure) -> GoldenFileError? {
    let child: ChildProcess
    do {
      // Swift's runtime would spend seconds on a report of each crash.
      child = try ChildProcess(
        runner.executable, [runner.subcommand, try runner.request(paths)],
        environment: ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 })
    } catch { return failure(paths[0], found: "that \(runner.executable) cannot be started: \(error)") }
    let listened: (count: Int, timedOut: Bool)
    do throws(Failure) { listened = try listen(to: child, receive) } catch {
      child.killGroup()
      throw error
    }
    // One that closed its output or floods it may still run.
    if listened.timedOut || child.wait(seconds: 5) == nil { child.killGroup() }
    guard listened.count < paths.count else { return nil }
    return failure(paths[listened.count], found: cause(child.ending, timedOut: listened.timedOut))
  }

  /// Reads answers until all are there, the child closes its output, or one takes too long.
  private func listen<Failure: Error>(
    to child: ChildProcess, _ receive: (ProbeRunner<Reply>.Verdict) throws(Failure) -> Void
  ) throws(Failure) -> (count: Int, timedOut: Bool) {
    guard let output = child.output else { return (0, false) }
    var count = 0
    var pending = PendingAnswer<Reply>(maximumPayload: runner.maximumPayload)
    var deadline = Date().addingTimeInterval(runner.resources.wallSeconds)
    while count < paths.count {
      let left = deadline.timeIntervalSinceNow
      guard left > 0 else { return (count, true) }
      guard output.isReadable(within: Int32(min(left * 1_000, 60_000)) + 1) else { continue }
      guard let chunk = output.read(), !chunk.isEmpty, pending.add(chunk) else { break }
      while count < paths.count, let answer = pending.next() {
        let verdict: ProbeRunner<Reply>.Verdict =
          switch answer {
          case nil: .failure(failure(paths[count], found: "an answer that makes no sense"))
          case let answer?: answer.reply.error.map { .failure($0) } ?? .success(answer)
          }
        count += 1
        try receive(verdict)
        deadline = Date().addingTimeInterval(runner.resources.wallSeconds)
      }
    }
    return (count, false)
  }

  private func cause(_ ending: ChildProcess.Ending?, timedOut: Bool) -> String {
    if timedOut { return "no answer of the checking process within \(runner.resources.wallSeconds) s" }
    let signal: Int32
    switch ending {
    case .exited(let status): return "that the checking process ended early with status \(status)"
    case .signalled(let number): signal = number
    case nil: return "that the checking process does not end"
    }
    let meaning =
      switch signal {
      case SIGXCPU: " (out of processor time)"
      case SIGSEGV, SIGBUS: " (bad memory access)"
      case SIGABRT, SIGILL, SIGTRAP: " (out of memory, or an internal check)"
      default: ""
      }
    return "that the checking process died by signal \(signal)\(meaning)"
  }

  private func failure(_ path: String, found: String) -> GoldenFileError {
    GoldenFileError(
      .probeFailed, file: path, expected: "a file that can be parsed within \(runner.resources.memoryBytes >> 20) MiB",
      found: found, advice: "the file is damaged or hostile: do not use it")
  }
}

/// The bytes of a child's answers that are not taken yet.
private struct PendingAnswer<Reply: ProbeReply> {
  let maximumPayload: Int
  private var bytes: [UInt8] = []
  /// The line whose payload is awaited.
  private var reply: Reply?
  /// The most bytes of a line.
  private static var maximumLine: Int { 1 << 26 }

  init(maximumPayload: Int) { self.maximumPayload = maximumPayload }

  /// - Returns: whether it is an answer still, and no flood.
  mutating func add(_ chunk: some Sequence<UInt8>) -> Bool {
    bytes += chunk
    return bytes.count <= Self.maximumLine + maximumPayload
  }

  /// The next complete answer, if there is one; `nil` in it where it makes no sense.
  mutating func next() -> ProbeAnswer<Reply>?? {
    if reply == nil {
      guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
      let found = try? JSONDecoder().decode(Reply.self, from: Data(bytes[..<end]))
      bytes.removeSubrange(...end)
      guard let found, (0...maximumPayload).contains(found.payloadBytes) else { return .some(nil) }
      reply = found
    }
    guard let found = reply, bytes.count >= found.payloadBytes else { return nil }
    let payload = Array(bytes.prefix(found.payloadBytes))
    bytes.removeFirst(found.payloadBytes)
    reply = nil
    return ProbeAnswer(reply: found, payload: payload)
  }
}
