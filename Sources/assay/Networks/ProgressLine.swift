import Foundation

/// Progress on stderr: one line that is rewritten on a terminal, a line every ten seconds elsewhere. Work that is done
/// quickly shows none.
struct ProgressLine {
  private let clock = ContinuousClock()
  private let start = ContinuousClock.now
  private var last = ContinuousClock.now
  private let isTerminal = isatty(STDERR_FILENO) == 1

  /// - Parameter fraction: of all the work, from 0 to 1; the time left follows from it.
  mutating func show(_ text: String, fraction: Double) {
    let now = clock.now
    let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(10)
    guard now - last >= pause else { return }
    last = now
    let elapsed = Double((now - start).components.seconds) + Double((now - start).components.attoseconds) * 1e-18
    let left = fraction > 0 ? Int((elapsed * (1 - fraction) / fraction).rounded()) : nil
    let eta = left.map { ", \($0 / 60):\($0 % 60 < 10 ? "0" : "")\($0 % 60) left" } ?? ""
    let line = "\(Int(fraction * 100)) %  \(text)\(eta)"
    Console.progress(isTerminal ? "\r\u{1B}[K\(line)" : "\(line)\n")
  }

  func clear() {
    if isTerminal { Console.progress("\r\u{1B}[K") }
  }
}
