/// Caps on what one golden file may ask for, checked before memory is taken.
public struct GoldenLimits: Sendable, Hashable, Codable {
  public var maximumRank = 8
  /// The most bytes of the file itself; it is read into memory as a whole so that what was checked is what is parsed.
  public var maximumFileBytes: Int
  /// The most bytes of one tensor in memory.
  public var maximumTensorBytes = 1 << 30
  /// The most bytes of all tensors of one file together, whether they are loaded at once or case by case.
  public var maximumTotalBytes = 1 << 35
  public var maximumCases = 100_000
  /// The most groups looked into; hard links can make a small file look like an endless tree.
  public var maximumGroups = 1_000_000
  public var maximumDepth = 64

  public init(maximumFileBytes: Int = 1 << 31) { self.maximumFileBytes = maximumFileBytes }

  public static let standard = GoldenLimits()
}
