import Problems

/// Ends a pass between two layers when it is asked to.
///
/// A pass throws ``ProblemError`` alone; ``wasMade`` tells this one from the others.
final class StopRequest {
  private let shouldStop: () -> Bool
  private(set) var wasMade = false

  init(_ shouldStop: @escaping () -> Bool) { self.shouldStop = shouldStop }

  /// - Throws: once a stop is asked for.
  func check() throws(ProblemError) {
    guard shouldStop() else { return }
    wasMade = true
    throw ProblemError(.invalidArgument, "pass", expected: "time to finish it", found: "a request to stop")
  }
}
