import HDF5
import Problems

/// Caps on what one golden file may ask for, checked before memory is taken.
public struct GoldenLimits: Sendable, Hashable, Codable {
  public var maximumRank = 8
  /// The most bytes of the file itself; it is read into memory as a whole so that what was checked is what is parsed.
  public var maximumFileBytes: Int
  /// The most bytes of one tensor in memory, together with one chunk of it.
  public var maximumTensorBytes = 1 << 36
  /// The most bytes of all tensors of one file together, whether they are loaded at once or case by case.
  public var maximumTotalBytes = 1 << 35
  /// The most chunks of all tensors of one file together: each costs a look-up.
  public var maximumChunks = 1 << 18
  public var maximumCases = 100_000
  /// The most groups looked into; hard links can make a small file look like an endless tree.
  public var maximumGroups = 1_000_000
  public var maximumDepth = 64
  /// Whether compressed chunks are measured before they are inflated. Bytes that a manifest vouches for, or that a
  /// child process has measured, do not need it.
  public var countsInflatedBytes = true
  /// What computing one case may take. Its tensors as stored count too.
  public var computation: CaseLimits

  public init(maximumFileBytes: Int = 1 << 36, computation: CaseLimits = .standard) {
    self.maximumFileBytes = maximumFileBytes
    self.computation = computation
  }

  public static let standard = GoldenLimits()

  /// The same for cases of these limits.
  func with(_ computation: CaseLimits) -> GoldenLimits {
    var limits = self
    limits.computation = computation
    return limits
  }

  /// The most bytes of the file: not more than a case may take.
  package var fileBytes: Int { min(maximumFileBytes, computation.maximumBytes) }
  /// The most bytes of one tensor likewise.
  package var tensorBytes: Int { min(maximumTensorBytes, computation.maximumBytes) }

  /// What HDF5 itself holds every read against.
  var library: HDF5Limits {
    HDF5Limits(maximumRank: maximumRank, maximumObjectBytes: tensorBytes, maximumEntries: maximumCases)
  }
}
