import Foundation
import Reporting
import Results
import Synchronization

/// Progress on stderr: one line of a terminal, drawn again and again and taken off in the end. A pipe or a file gets nothing.
final class ProgressDisplay: Sendable {
  private struct State {
    /// Since the first step.
    var progress: (text: ProgressText, start: ContinuousClock.Instant)?
    var lastDrawn: ContinuousClock.Instant?
  }

  private let isShown: Bool
  private let state = Mutex(State())

  init(isQuiet: Bool = false) {
    isShown = !isQuiet && isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// - Parameters:
  ///   - total: always the same, or what is known of it by now.
  ///   - failures: failures that came with this step.
  ///   - subject: what was done last.
  func step(done: Int, of total: Int, failures: Int = 0, subject: String) {
    guard isShown else { return }
    state.withLock { state in
      var (text, start) = state.progress ?? (ProgressText(from: done), .now)
      text.fail(failures)
      state.progress = (text, start)
      let seconds = start.duration(to: .now) / .seconds(1)
      if done < total { draw(text.line(done: done, of: total, seconds: seconds, subject: subject), &state) }
    }
  }

  /// Of work whose end a number of steps, a time, or both decide.
  /// - Parameter limit: in seconds from the first step.
  func step(done: Int, of total: Int?, failures: Int, within limit: Double?, subject: String) {
    guard isShown else { return }
    state.withLock { state in
      let (text, start) = state.progress ?? (ProgressText(from: done), .now)
      state.progress = (text, start)
      let seconds = start.duration(to: .now) / .seconds(1)
      // The pace so far tells how many there will be.
      let reachable = limit.map { Int(Double(done) * max(1, $0 / max(seconds, 0.1))) }
      let all = [total, reachable].compactMap(\.self).min() ?? done
      var shown = text
      shown.fail(failures)
      draw(shown.line(done: done, of: max(all, done), seconds: seconds, subject: subject), &state)
    }
  }

  /// What is done meanwhile, of which nothing is counted.
  func show(_ subject: String) {
    guard isShown else { return }
    state.withLock { draw(subject.printable, &$0) }
  }

  /// Takes the line off the terminal, where there is one: before anything else is printed.
  func clear() {
    state.withLock { state in
      if state.lastDrawn != nil { Console.progress(Self.start) }
      state.lastDrawn = nil
    }
  }

  /// To the line's begin, and away with what stands there.
  private static let start = "\r\u{1B}[K"

  /// Ten times a second at most. What does not fit a line is cut, since a second line could not be taken off again.
  private func draw(_ line: String, _ state: inout State) {
    if let last = state.lastDrawn, last.duration(to: .now) < .milliseconds(100) { return }
    state.lastDrawn = .now
    var size = winsize()
    let isKnown = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    Console.progress(Self.start + line.prefix((isKnown ? Int(size.ws_col) : 80) - 1))
  }
}
