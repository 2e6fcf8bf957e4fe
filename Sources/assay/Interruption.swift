import ArgumentParser
import Dispatch
import Foundation
import OperatingSystem
import Results
import Synchronization

/// Ctrl-C, SIGTERM and SIGHUP, for every command alike.
///
/// The first signal cancels the command's task, so that its loops end by themselves and what is done is reported. A command
/// that is still computing half a second later (one case of a large network, an engine that hangs) is concluded from what
/// is known by then: the closure given to ``concluding(with:while:)`` reports that, and the process ends with 2. A second
/// signal ends the process at once. Children and temporaries are gone in every case.
enum Interruption {
  /// How long loops have to end by themselves. With the reports that follow this stays within a second.
  private static let graceSeconds = 0.5

  private enum Phase {
    /// The command computes: the watchdog may conclude in its place.
    case working
    /// The command reports for itself.
    case reporting
    /// The watchdog concludes, and ends the process.
    case concluding
  }

  private struct State {
    var isRequested = false
    var phase = Phase.working
    var conclude: (@Sendable () -> Outcome)?
    /// Cancels the command's task.
    var cancel: (@Sendable () -> Void)?
  }

  private static let state = Mutex(State())

  /// Whether a signal has come; for loops on threads that do not see their task's cancellation.
  static var isRequested: Bool { state.withLock { $0.isRequested } }

  /// Runs a command's work in a task that these signals cancel.
  static func run(_ work: @escaping @Sendable () async throws -> Void) async -> Result<Void, any Error> {
    atexit {
      let left = Leftovers.removeAll()
      guard !left.isEmpty else { return }
      Console.note(
        "an engine left processes running, which were ended: " + left.map(\.printable).joined(separator: "; "))
    }
    let task = Task { try await work() }
    state.withLock { $0.cancel = { task.cancel() } }
    // Queues of their own: the tasks of a run occupy every thread of the global ones.
    let signals = DispatchQueue(label: "assay.signals")
    var numbers = [SIGINT, SIGTERM]
    // A hang-up that is ignored already (`nohup`) stays ignored.
    if !isIgnored(SIGHUP) { numbers.append(SIGHUP) }
    let sources = numbers.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: signals)
      source.setEventHandler { received(number) }
      source.resume()
      return source
    }
    let result = await task.result
    enter(.reporting)
    for source in sources { source.cancel() }
    return result
  }

  /// Runs the part of a command that takes long. Should it not end by itself soon after a signal, `conclude` takes its place:
  /// it reports what is known by then, on another thread, and its error is the command's (an exit code, as a rule).
  ///
  /// When `work` has returned the command reports for itself, and nothing but a second signal disturbs it.
  static func concluding<Result>(
    with conclude: @escaping @Sendable () throws -> Void, while work: () async throws -> Result
  ) async rethrows -> Result {
    enter(.working) { outcome(of: conclude) }
    defer { enter(.reporting) }
    return try await work()
  }

  /// The same for work that is not asynchronous.
  static func concluding<Result>(
    with conclude: @escaping @Sendable () throws -> Void, while work: () throws -> Result
  ) rethrows -> Result {
    enter(.working) { outcome(of: conclude) }
    defer { enter(.reporting) }
    return try work()
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    typealias Handler = @convention(c) (Int32) -> Void
    func address(_ handler: Handler?) -> Int { unsafeBitCast(handler, to: Int.self) }
    let found = signal(number, SIG_IGN)
    return address(found) == address(SIG_IGN)
  }

  private static func received(_ number: Int32) {
    guard !begin("interrupted: keeping what is done (again to stop at once)") else { return }
    // From here on nobody else ends the process: an engine that is killed now has not failed.
    state.withLock { $0.phase = .concluding }
    end(128 + number)
  }

  /// Lets the running command end as after a signal, so many seconds from now.
  static func stop(after seconds: Double) {
    DispatchQueue(label: "assay.deadline").asyncAfter(deadline: .now() + seconds) {
      _ = begin("the deadline of \(seconds) s is over: keeping what is done")
    }
  }

  /// Begins to end the command: says why, cancels its task, and watches over it.
  /// - Returns: whether this was the first reason to.
  private static func begin(_ words: String) -> Bool {
    let (isFirst, cancel) = state.withLock { state in
      defer { state.isRequested = true }
      return (!state.isRequested, state.cancel)
    }
    guard isFirst else { return false }
    Console.note("\n\(words)")
    cancel?()
    watch()
    return true
  }

  /// Ends the process where the command does not end by itself.
  private static func watch() {
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: graceSeconds)
      while true {
        let conclude = state.withLock { state -> (@Sendable () -> Outcome)? in
          guard state.phase == .working else { return nil }
          state.phase = .concluding
          return state.conclude ?? { .inconclusive }
        }
        if let conclude {
          let outcome = conclude().afterPrinting
          BazelTest()?.noteEnd(outcome)
          end(outcome.exitCode)
        }
        Thread.sleep(forTimeInterval: 0.05)
      }
    }
  }

  /// Nothing that was interrupted holds, whatever is known of it.
  private static func outcome(of conclude: () throws -> Void) -> Outcome {
    do {
      try conclude()
      return .inconclusive
    } catch let code as ExitCode { return Outcome(exitCode: code.rawValue) } catch {
      Console.error("\(error)")
      return Outcome.worse(.inconclusive, Outcome(error))
    }
  }

  private static func enter(_ phase: Phase, _ conclude: (@Sendable () -> Outcome)? = nil) {
    let isOver = state.withLock { state in
      guard state.phase != .concluding else { return true }
      state.phase = phase
      state.conclude = conclude
      return false
    }
    // The watchdog was first: it ends the process.
    if isOver { while true { sleep(1_000) } }
  }

  /// Without the exit handlers of libraries whose threads still run.
  private static func end(_ code: Int32) -> Never {
    Leftovers.removeAll()
    _exit(code)
  }
}
