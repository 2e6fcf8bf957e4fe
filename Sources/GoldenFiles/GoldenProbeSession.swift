import Foundation
import OperatingSystem

/// One life of a probing child: started, listened to until it has answered for all its files or has failed.
struct GoldenProbeSession {
  let probe: GoldenFileProbe
  let paths: [String]

  /// - Returns: verdicts for the files that the child answered for, and how it failed on the next one, if it did.
  func run() -> (verdicts: [GoldenFileProbe.Verdict], failure: GoldenFileError?) {
    let child: ChildProcess
    do {
      let request = try GoldenProbeRequest(resources: probe.resources, limits: probe.limits, paths: paths).encoded()
      // Swift's runtime would spend seconds on a report of each crash.
      child = try ChildProcess(
        probe.executable, [GoldenFileProbe.subcommand, request],
        environment: ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 })
    } catch { return ([], failure(paths[0], found: "that \(probe.executable) cannot be started: \(error)")) }
    let (replies, timedOut) = listen(to: child)
    // One that closed its output or floods it may still run.
    if timedOut || child.wait(seconds: 5) == nil { child.killGroup() }
    let ending = child.ending
    let verdicts = zip(paths, replies).map { path, reply in
      reply.verdict ?? .unsound(failure(path, found: "an answer that makes no sense"))
    }
    guard verdicts.count < paths.count else { return (verdicts, nil) }
    return (verdicts, failure(paths[verdicts.count], found: cause(ending, timedOut: timedOut)))
  }

  /// Reads lines until all answers are there, the child closes its output, or an answer takes too long.
  private func listen(to child: ChildProcess) -> (replies: [GoldenProbeReply], timedOut: Bool) {
    guard let output = child.output else { return ([], false) }
    var replies: [GoldenProbeReply] = []
    var pending = Data()
    var deadline = Date().addingTimeInterval(probe.resources.wallSeconds)
    while replies.count < paths.count {
      let left = deadline.timeIntervalSinceNow
      guard left > 0 else { return (replies, true) }
      guard output.isReadable(within: Int32(min(left * 1_000, 60_000)) + 1) else { continue }
      guard let chunk = output.read(), !chunk.isEmpty, pending.count < 1 << 20 else { break }
      pending.append(contentsOf: chunk)
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        let line = pending[pending.startIndex..<end]
        replies.append((try? JSONDecoder().decode(GoldenProbeReply.self, from: Data(line))) ?? GoldenProbeReply())
        pending.removeSubrange(pending.startIndex...end)
        deadline = Date().addingTimeInterval(probe.resources.wallSeconds)
      }
    }
    return (replies, false)
  }

  private func cause(_ ending: ChildProcess.Ending?, timedOut: Bool) -> String {
    if timedOut { return "no answer of the checking process within \(probe.resources.wallSeconds) s" }
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
      .probeFailed, file: path, expected: "a file that can be parsed within \(probe.resources.memoryBytes >> 20) MiB",
      found: found, advice: "the file is damaged or hostile: do not use it")
  }
}

/// What the parent asks of the child, as its one argument.
struct GoldenProbeRequest: Codable {
  var resources: GoldenFileProbe.Resources
  var limits: GoldenLimits
  var paths: [String]

  func encoded() throws -> String { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
}

/// The child's line for one file.
struct GoldenProbeReply: Codable {
  var sha256: String?
  var caseCount: Int?
  var error: GoldenFileError?

  var verdict: GoldenFileProbe.Verdict? {
    if let error { return .unsound(error) }
    guard let sha256, let caseCount else { return nil }
    return .sound(sha256: sha256, caseCount: caseCount)
  }
}
