import Foundation

/// How the errors of a tensor are distributed, in the standard deviations that a correct implementation has at most.
public struct ErrorDistributionRecord: Codable, Sendable, Hashable {
  /// Those that count.
  public var elements: Int
  /// How many independent errors they are as good as.
  public var independent: Double
  /// At most 1, but for chance.
  public var meanSquare: Double
  public var meanSquareLimit: Double
  /// Positive where results are too large.
  public var mean: Double
  /// Of errors times the sign of the expected value: negative where magnitudes are too small.
  public var signedMean: Double
  /// Of the magnitudes of both means.
  public var meanLimit: Double

  public init(
    elements: Int, independent: Double, meanSquare: Double, meanSquareLimit: Double, mean: Double, signedMean: Double,
    meanLimit: Double
  ) {
    self.elements = elements
    self.independent = independent
    self.meanSquare = meanSquare
    self.meanSquareLimit = meanSquareLimit
    self.mean = mean
    self.signedMean = signedMean
    self.meanLimit = meanLimit
  }

  /// The largest of the three figures over its limit: at most 1 passes.
  public var ratio: Double {
    let lean = max(abs(mean), abs(signedMean))
    // Without any error there is no limit either.
    return max(meanSquare / meanSquareLimit, lean == 0 ? 0 : lean / meanLimit)
  }
  public var passes: Bool { problem == nil }

  /// What is wrong with it, in a sentence; `nil` where nothing is.
  public var problem: String? {
    func text(_ value: Double) -> String { String(format: "%.3g", value) }
    let over = "over \(elements) elements, each of which may be within its own bound"
    if !(meanSquare <= meanSquareLimit) {
      return "the errors are too large on the whole: mean z² \(text(meanSquare)), expected at most "
        + "\(text(meanSquareLimit)), \(over)"
    }
    if !(abs(signedMean) <= meanLimit) {
      return "the results are too \(signedMean < 0 ? "small" : "large") on the whole: mean z·sign(y) "
        + "\(text(signedMean)), expected at most \(text(meanLimit)) in magnitude, \(over)"
    }
    if !(abs(mean) <= meanLimit) {
      return "the errors lean to one side: mean z \(text(mean)), expected at most \(text(meanLimit)) in magnitude, "
        + "\(over)"
    }
    return nil
  }
}
