import Tensors

/// Extents worth trying in one place of a problem: what a kernel's tails, unrolled loops and threads depend on.
public struct SizeDomain: Hashable, Sendable {
  public let range: ClosedRange<Int>
  /// Extents of real networks; those in the range are drawn.
  public let typical: [Int]

  public init(_ range: ClosedRange<Int>, typical: [Int] = []) {
    self.range = range
    self.typical = typical
  }

  /// Images, an empty batch among them.
  public static let batch = SizeDomain(0...40, typical: [1, 2, 4, 8, 32])
  public static let channels = SizeDomain(1...520, typical: [3, 64, 128, 256, 512])
  /// Channels of a layer whose weights are as many as their square.
  public static let planes = SizeDomain(1...48, typical: [16, 32])
  /// Height or width.
  public static let side = SizeDomain(1...130, typical: [7, 14, 28, 32, 56, 112])
  public static let classes = SizeDomain(1...2_100, typical: [10, 100, 1_000])
  /// An axis of no particular meaning.
  public static let extent = SizeDomain(1...4_200, typical: [64, 512, 1_000, 1_024, 4_096])

  /// The same without what is below `least`.
  func atLeast(_ least: Int) -> SizeDomain {
    let low = max(range.lowerBound, least)
    return SizeDomain(low...max(low, range.upperBound), typical: typical)
  }

  /// The same without what is above `most`, but never empty.
  func atMost(_ most: Int) -> SizeDomain {
    SizeDomain(range.lowerBound...max(range.lowerBound, min(range.upperBound, most)), typical: typical)
  }

  func clamped(_ value: Int) -> Int { min(max(value, range.lowerBound), range.upperBound) }

  /// What vectors and tiles hold.
  public static let units = [4, 8, 16, 32, 64]
  /// Beyond this a multiple is as good as any other large number.
  private static let largestMultiple: UInt64 = 3
  /// Small numbers are those up to so many above the least.
  private static let smallSpan = 7

  /// Of sixteen extents two are 1, five are a multiple of a unit or one off it, two are a network's, one is prime, one is spread
  /// over all magnitudes, and the rest are small.
  func draw(_ stream: inout SplitMix64) -> Int {
    func one(of values: [Int]) -> Int? {
      let fitting = values.filter(range.contains)
      return fitting.isEmpty ? nil : fitting[stream.below(fitting.count)]
    }
    let drawn: Int?
    switch stream.below(16) {
    case 0, 1: drawn = clamped(1)
    case 2...6:
      let unit = one(of: Self.units) ?? 1
      let multiple = 1 + Int(stream.next() % Self.largestMultiple)
      drawn = one(of: [unit * multiple - 1, unit * multiple, unit * multiple + 1])
    case 7, 8: drawn = one(of: typical)
    case 9: drawn = one(of: Self.primes)
    case 10: drawn = magnitude(&stream)
    default: drawn = nil
    }
    return drawn ?? range.lowerBound + stream.below(min(range.count, Self.smallSpan + 1))
  }

  /// Each power of two is as likely as any other.
  private func magnitude(_ stream: inout SplitMix64) -> Int {
    var width = 1
    while width < range.count { width *= 2 }
    let doublings = width.trailingZeroBitCount
    let top = min(range.count, 1 << stream.below(doublings + 1))
    return range.lowerBound + stream.below(max(top, 1))
  }

  private static let primes = (2...257).filter(isPrime)

  static func isPrime(_ value: Int) -> Bool {
    guard value >= 2 else { return false }
    var divisor = 2
    while divisor * divisor <= value {
      if value % divisor == 0 { return false }
      divisor += 1
    }
    return true
  }
}

extension SplitMix64 {
  /// A number from 0 to below `count`. The remainder's bias is below 2⁻⁴⁰ for what is drawn here.
  /// - Requires: `count ≥ 1`.
  public mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
}
