import Foundation

/// What is said of many ratios together. A mean never stands without its median: a few shapes on which one side does something
/// else altogether carry the one and leave the other where it is.
public struct RatioSummary: Sendable, Hashable {
  public let count: Int
  public let geometricMean: Double
  public let median: Double

  /// - Parameter ratios: positive; of none there is nothing to say.
  public init?(_ ratios: [Double]) {
    guard let median = ratios.median else { return nil }
    count = ratios.count
    geometricMean = exp(ratios.reduce(0) { $0 + log($1) } / Double(count))
    self.median = median
  }
}
