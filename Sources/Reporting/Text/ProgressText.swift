import Results

/// How far work is, in one line: what is done, what fails, how long the rest takes, what was done last.
public struct ProgressText: Sendable {
  /// What was done at the first step: earlier work tells nothing of the pace.
  private let first: Int
  private var failures = 0

  public init(from first: Int = 0) { self.first = first }

  /// Adds failures to those that were met.
  public mutating func fail(_ count: Int) { failures += count }

  /// - Parameters:
  ///   - done: steps that are behind.
  ///   - total: all that there is to do, as far as it is known by now.
  ///   - seconds: since the first step.
  ///   - subject: what was done last; may be foreign text.
  public func line(done: Int, of total: Int, seconds: Double, subject: String) -> String {
    let failing = failures > 0 ? ", \(failures) failing" : ""
    return "\(done)/\(total)\(failing)\(rest(done, total, seconds))  \(subject.printable)"
  }

  /// An estimate, of work that takes longer than two seconds.
  private func rest(_ done: Int, _ total: Int, _ seconds: Double) -> String {
    guard done > first else { return "" }
    let left = seconds / Double(done - first) * Double(total - done)
    return seconds + left > 2 ? ", \(NumberText.duration(left)) left" : ""
  }
}
