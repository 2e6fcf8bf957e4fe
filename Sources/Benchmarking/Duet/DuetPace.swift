import Foundation

/// What a gate may still do before its deadline, from what its pairs have taken.
final class DuetPace {
  private let began = ContinuousClock.now
  private let deadline: Double?
  private var (seconds, pairs) = (0.0, 0)
  /// Seconds kept for the audit at the end.
  private static let reserve = 3.0

  /// - Parameter deadline: seconds from now; `nil` for as long as it takes.
  init(deadline: Double?) { self.deadline = deadline }

  /// Counts a block: restarts, pairs, and the base against itself.
  func took(_ seconds: Double, pairs: Int) {
    self.seconds += seconds
    self.pairs += pairs
  }

  /// Whether so many pairs more are done in time; before the first one nobody knows.
  func allows(pairs more: Int) -> Bool {
    guard let deadline else { return true }
    let left = deadline - Self.reserve - (ContinuousClock.now - began).seconds
    return left > (pairs > 0 ? Double(more) * seconds / Double(pairs) : 0)
  }

  /// What a gate says that was not done in time.
  var missed: String {
    "the deadline of \(String(format: "%g", deadline ?? 0)) s came before all blocks were measured"
  }
}
