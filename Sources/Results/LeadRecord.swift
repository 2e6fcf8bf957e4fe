/// How far the fastest of some contestants is ahead, over the blocks in which all of them were timed.
public struct LeadRecord: Codable, Sendable, Hashable {
  public var engine: String
  /// Those that the blocks do not tell from it: the interval of the ratios spans 1, or there is none.
  public var ties: [String]
  /// The fastest of those that are certainly slower. Absent where there is none.
  public var next: String?
  /// Its time by that of the fastest, the median of the blocks' ratios, and the interval of that median.
  public var ratio: Double?
  public var lower: Double?
  public var upper: Double?

  public init(
    engine: String, ties: [String], next: String? = nil, ratio: Double? = nil, lower: Double? = nil,
    upper: Double? = nil
  ) {
    self.engine = engine
    self.ties = ties
    self.next = next
    self.ratio = ratio
    self.lower = lower
    self.upper = upper
  }
}
