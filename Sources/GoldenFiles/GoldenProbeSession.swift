import Foundation

/// One life of a probing child: started, listened to until it has answered for all its files or has failed.
struct GoldenProbeSession {
  let probe: GoldenFileProbe
  let paths: [String]

  /// - Returns: verdicts for the files that the child answered for, and how it failed on the next one, if it did.
  func run() -> (verdicts: [GoldenFileProbe.Verdict], failure: GoldenFileError?) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: probe.executable)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    // Swift's runtime would spend seconds on a report of each crash.
    process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    do {
      let request = try GoldenProbeRequest(resources: probe.resources, limits: probe.limits, paths: paths).encoded()
      process.arguments = [GoldenFileProbe.subcommand, request]
      try process.run()
    } catch {
      let found = "that \(probe.executable) cannot be started: \(error.localizedDescription)"
      return ([], failure(paths[0], found: found))
    }
    try? output.fileHandleForWriting.close()
    let (replies, timedOut) = listen(to: output.fileHandleForReading, of: process)
    if replies.count < paths.count, process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    let verdicts = zip(paths, replies).map { path, reply in
      reply.verdict ?? .unsound(failure(path, found: "an answer that makes no sense"))
    }
    guard verdicts.count < paths.count else { return (verdicts, nil) }
    return (verdicts, failure(paths[verdicts.count], found: cause(process, timedOut: timedOut)))
  }

  /// Reads lines until all answers are there, the child closes its output, or an answer takes too long.
  private func listen(
    to handle: FileHandle, of process: Process
  ) -> (replies: [GoldenProbeReply], timedOut: Bool) {
    var replies: [GoldenProbeReply] = []
    var pending = Data()
    var deadline = Date().addingTimeInterval(probe.resources.wallSeconds)
    while replies.count < paths.count {
      // Looked at again and again: where another child inherited the pipe by accident, it outlives its own child's death.
      let wasRunning = process.isRunning
      var descriptor = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&descriptor, 1, 100)
      if ready <= 0 {
        guard wasRunning else { break }
        if deadline.timeIntervalSinceNow < 0 { return (replies, true) }
        continue
      }
      let chunk = handle.availableData
      guard !chunk.isEmpty, pending.count < 1 << 20 else { break }
      pending.append(chunk)
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        let line = pending[pending.startIndex..<end]
        replies.append((try? JSONDecoder().decode(GoldenProbeReply.self, from: Data(line))) ?? GoldenProbeReply())
        pending.removeSubrange(pending.startIndex...end)
        deadline = Date().addingTimeInterval(probe.resources.wallSeconds)
      }
    }
    return (replies, false)
  }

  private func cause(_ process: Process, timedOut: Bool) -> String {
    if timedOut { return "no answer of the checking process within \(probe.resources.wallSeconds) s" }
    guard process.terminationReason == .uncaughtSignal else {
      return "that the checking process ended early with status \(process.terminationStatus)"
    }
    let signal = process.terminationStatus
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
