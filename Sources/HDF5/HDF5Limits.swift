/// Caps that hold for everything read from one file, checked before memory is taken.
public struct HDF5Limits: Sendable, Equatable {
  /// The largest number of dimensions; libhdf5's own limit is 32.
  public var maximumRank: Int
  /// The most bytes one dataset or attribute may take in memory, and the most that one chunk may.
  public var maximumObjectBytes: Int
  /// The most links in one group and the most attributes on one object.
  public var maximumEntries: Int

  public init(
    maximumRank: Int = 32, maximumObjectBytes: Int = 1 << 36, maximumEntries: Int = 10_000_000
  ) {
    self.maximumRank = maximumRank
    self.maximumObjectBytes = maximumObjectBytes
    self.maximumEntries = maximumEntries
  }

  public static let standard = HDF5Limits()
}
