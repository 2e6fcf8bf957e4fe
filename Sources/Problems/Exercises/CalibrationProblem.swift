/// Random problems to measure the bounds on, with the fills that a corpus would use.
public struct CalibrationProblem: Sendable {
  public let text: String
  /// Range of each input; the parameters are in [−1, 1].
  public var low = -1.0
  public var high = 1.0

  public init(_ text: String, low: Double = -1, high: Double = 1) {
    self.text = text
    self.low = low
    self.high = high
  }
}
