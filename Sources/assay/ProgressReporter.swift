import Foundation
import Results
import Synchronization

/// Progress with an estimate of what is left, on stderr: one line that is redrawn on a terminal, otherwise a line every ten
/// seconds; nothing for the first two seconds of a run into a pipe.
final class ProgressReporter: Sendable {
  private struct State {
    var lastDrawn: ContinuousClock.Instant?
    var hasDrawn = false
    var failures = 0
  }

  private let isTerminal: Bool
  private let isQuiet: Bool
  private let started = ContinuousClock.now
  private let state = Mutex(State())

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// - Parameters:
  ///   - failures: failures that came with this step.
  ///   - subject: what was done last.
  func step(done: Int, of total: Int, failures: Int, subject: String) {
    guard !isQuiet else { return }
    let now = ContinuousClock.now
    state.withLock { state in
      state.failures += failures
      let interval: Duration = isTerminal ? .milliseconds(100) : .seconds(10)
      let last = state.lastDrawn ?? (isTerminal ? started - interval : started - .seconds(8))
      guard now - last >= interval, done < total else { return }
      state.lastDrawn = now
      state.hasDrawn = true
      write(line(done, total, state.failures, subject, now - started))
    }
  }

  private func line(_ done: Int, _ total: Int, _ failures: Int, _ subject: String, _ elapsed: Duration) -> String {
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    let left = done > 0 ? seconds / Double(done) * Double(total - done) : 0
    let failed = failures > 0 ? ", \(failures) failing" : ""
    let text = "\(done)/\(total)\(failed), \(Self.duration(left)) left  \(subject.printable)"
    return isTerminal ? "\r\u{1B}[K\(text.prefix(100))" : text + "\n"
  }

  static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded(.up))
    return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
  }

  /// Takes the line off the terminal again.
  func finish() {
    state.withLock { state in
      if isTerminal, state.hasDrawn { write("\r\u{1B}[K") }
    }
  }

  private func write(_ text: String) { Console.progress(text) }
}
