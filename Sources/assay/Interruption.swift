import Dispatch
import Foundation

/// Ctrl-C and SIGTERM: the first asks the command to finish what is under way and to keep what is done, the second ends the
/// process at once.
enum Interruption {
  /// Runs a command's work in a task that these signals cancel.
  static func run(_ work: @escaping @Sendable () async throws -> Void) async -> Result<Void, any Error> {
    let task = Task { try await work() }
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if task.isCancelled { exit(128 + number) }
        Console.note("\ninterrupted: finishing what is under way (again to stop at once)")
        task.cancel()
      }
      source.resume()
      return source
    }
    defer { for source in sources { source.cancel() } }
    return await task.result
  }
}
