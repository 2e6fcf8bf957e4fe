import ArgumentParser
import CShims
import Engines
import Foundation
import LibraryHost
import Problems
import Results

/// `assay host`: the child that holds a shared library, and speaks the engine protocol for it. What the library does to this
/// process, it does to no other.
struct HostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host", abstract: "Hold a shared library for another process of this program (see --library).",
    shouldDisplay: false)

  @Option(help: "The library's path.")
  var library: String

  @Option(help: "The engine's name where the library does not say one.")
  var name: String

  @Option(
    help: ArgumentHelp("Which symbol computes an operation.", valueName: "operation=symbol"),
    transform: LibrarySymbol.init)
  var symbol: [LibrarySymbol] = []

  func run() throws {
    assay_keep_freed_memory()
    let lines = try RequestLines()
    let symbols = Dictionary(symbol.map { ($0.operation, $0.symbol) }) { _, last in last }
    let engine: LibraryEngine
    do throws(EngineError) { engine = try LibraryEngine(path: library, name: name, symbols: symbols) } catch {
      return EngineServer(refusing: error).serve(lines: lines.next, reply: lines.reply)
    }
    // Whoever asks has limits of its own.
    let server = EngineServer(engine, limits: CaseLimits(maximumBytes: 1 << 46, maximumWork: 1 << 60))
    server.serve(lines: { engine.isSpent ? nil : lines.next() }, reply: lines.reply)
    // Not by way of the library's exit handlers, which may wait for a thread that was stopped.
    if engine.isSpent { _exit(EXIT_FAILURE) }
  }
}

/// Requests and replies by descriptors that nobody else knows: what a library prints goes to stderr, and what it reads is empty.
final class RequestLines {
  private let requests: FileHandle
  private let replies: FileHandle
  private var received = Data()

  /// - Throws: ``ExitCode`` 74 where the standard streams cannot be put elsewhere.
  init() throws {
    let (input, output, null) = (dup(STDIN_FILENO), dup(STDOUT_FILENO), open("/dev/null", O_RDONLY))
    guard input >= 0, output >= 0, null >= 0, dup2(null, STDIN_FILENO) >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0
    else { throw Outcome.internalError.ending("the standard streams cannot be put elsewhere") }
    close(null)
    for descriptor in [input, output] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    requests = FileHandle(fileDescriptor: input, closeOnDealloc: true)
    replies = FileHandle(fileDescriptor: output, closeOnDealloc: true)
  }

  /// The next line, without its end; `nil` where there is none.
  func next() -> String? {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        defer { received.removeSubrange(...end) }
        return String(decoding: received[..<end], as: UTF8.self)
      }
      let more = requests.availableData
      if more.isEmpty { return nil }
      received += more
    }
  }

  func reply(_ line: Data) {
    // A reader that went away ends the loop with the next end of input.
    try? replies.write(contentsOf: line + Data("\n".utf8))
  }
}
