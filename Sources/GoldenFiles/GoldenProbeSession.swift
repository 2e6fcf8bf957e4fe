import Foundation

/// One life of a probing child: started, listened to until it has answered for all its files or has failed.
struct GoldenProbeSession {
  let probe: GoldenFileProbe
  let paths: [String]

  /// Verdicts for the first files: all of them, or up to and with the one that the child failed on.
  func run() -> [GoldenFileProbe.Verdict] {
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
      return paths.map {
        .unsound(failure($0, found: "that \(probe.executable) cannot be started: \(error.localizedDescription)"))
      }
    }
    try? output.fileHandleForWriting.close()
    let (replies, timedOut) = listen(to: output.fileHandleForReading)
    if timedOut || replies.count < paths.count { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    var verdicts = zip(paths, replies).map { path, reply in
      reply.verdict ?? .unsound(failure(path, found: "an answer that makes no sense"))
    }
    if verdicts.count < paths.count {
      verdicts.append(.unsound(failure(paths[verdicts.count], found: cause(process, timedOut: timedOut))))
    }
    return verdicts
  }

  /// Reads lines until all answers are there, the child closes its output, or an answer takes too long.
  private func listen(to handle: FileHandle) -> (replies: [GoldenProbeReply], timedOut: Bool) {
    var replies: [GoldenProbeReply] = []
    var pending = Data()
    var deadline = Date().addingTimeInterval(probe.resources.wallSeconds)
    while replies.count < paths.count {
      var descriptor = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
      let milliseconds = Int32(clamping: Int(max(0, deadline.timeIntervalSinceNow) * 1000))
      let ready = poll(&descriptor, 1, milliseconds)
      if ready < 0, errno == EINTR { continue }
      guard ready > 0 else { return (replies, true) }
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
