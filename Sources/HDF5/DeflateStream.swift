/// How long a zlib stream becomes when it is inflated, counted without inflating it.
///
/// libhdf5 enlarges its buffer for as long as a chunk's stream goes on: a megabyte may become a gigabyte, whatever the
/// chunk's own size is. The length follows from the Huffman codes alone, so nothing but the tables is kept.
/// - Source: RFC 1950 and RFC 1951.
public struct DeflateStream {
  private let bytes: [UInt8]
  private var position = 0
  private var bits: UInt64 = 0
  private var bitCount = 0

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// - Returns: the length; `limit + 1` or more as soon as it is beyond the limit; nil for what is no stream, which inflating
  ///   refuses too.
  public static func inflatedLength(of bytes: [UInt8], limit: Int) -> Int? {
    var stream = DeflateStream(bytes)
    return stream.length(limit: limit)
  }

  private mutating func length(limit: Int) -> Int? {
    guard let method = take(8), let flags = take(8), method & 15 == 8, (method << 8 | flags) % 31 == 0, flags & 32 == 0
    else { return nil }
    var length = 0
    while true {
      guard let last = take(1), let kind = take(2) else { return nil }
      let block: Int?
      switch kind {
      case 0: block = storedBlock()
      case 1: block = codedBlock(.fixedLengths, .fixedDistances, limit: limit - length)
      case 2:
        guard let (lengths, distances) = tables() else { return nil }
        block = codedBlock(lengths, distances, limit: limit - length)
      default: return nil
      }
      guard let block else { return nil }
      length += block
      if last == 1 || length > limit { return length }
    }
  }

  private mutating func storedBlock() -> Int? {
    _ = take(bitCount % 8)
    guard let length = take(16), let complement = take(16), length ^ complement == 0xFFFF else { return nil }
    // Whole bytes that are in the buffer already are part of the block.
    let buffered = min(bitCount / 8, length)
    bits >>= UInt64(8 * buffered)
    bitCount -= 8 * buffered
    guard bytes.count - position >= length - buffered else { return nil }
    position += length - buffered
    return length
  }

  private mutating func codedBlock(_ lengths: HuffmanCode, _ distances: HuffmanCode, limit: Int) -> Int? {
    var count = 0
    while count <= limit {
      guard let symbol = next(in: lengths) else { return nil }
      switch symbol {
      case ..<256: count += 1
      case 256: return count
      case 257...285:
        let extra = Self.lengthExtraBits[symbol - 257]
        guard let more = take(extra), let distance = next(in: distances), distance < 30,
          take(distance < 4 ? 0 : distance / 2 - 1) != nil
        else { return nil }
        count += Self.lengthBases[symbol - 257] + more
      default: return nil
      }
    }
    return count
  }

  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  private static let lengthExtraBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]

  /// The codes that a dynamic block begins with.
  private mutating func tables() -> (HuffmanCode, HuffmanCode)? {
    guard let literals = take(5), let distances = take(5), let codes = take(4) else { return nil }
    var widths = [Int](repeating: 0, count: 19)
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    for index in 0..<codes + 4 {
      guard let width = take(3) else { return nil }
      widths[order[index]] = width
    }
    guard let code = HuffmanCode(widths) else { return nil }
    let count = literals + 257 + distances + 1
    var lengths: [Int] = []
    while lengths.count < count {
      guard let symbol = next(in: code) else { return nil }
      switch symbol {
      case ..<16: lengths.append(symbol)
      case 16:
        guard let last = lengths.last, let more = take(2) else { return nil }
        lengths += [Int](repeating: last, count: 3 + more)
      case 17:
        guard let more = take(3) else { return nil }
        lengths += [Int](repeating: 0, count: 3 + more)
      default:
        guard let more = take(7) else { return nil }
        lengths += [Int](repeating: 0, count: 11 + more)
      }
    }
    guard lengths.count == count, let first = HuffmanCode(Array(lengths[..<(literals + 257)])),
      let second = HuffmanCode(Array(lengths[(literals + 257)...]))
    else { return nil }
    return (first, second)
  }

  private mutating func next(in code: HuffmanCode) -> Int? {
    refill()
    // Near the end the missing bits read as zeros; what a code then takes must really be there.
    guard let (symbol, width) = code.first(in: bits), width <= bitCount else { return nil }
    bits >>= UInt64(width)
    bitCount -= width
    return symbol
  }

  /// The next bits, the first one lowest.
  private mutating func take(_ count: Int) -> Int? {
    refill()
    guard count <= bitCount else { return nil }
    let value = Int(bits & (1 << UInt64(count) - 1))
    bits >>= UInt64(count)
    bitCount -= count
    return value
  }

  private mutating func refill() {
    while bitCount <= 48, position < bytes.count {
      bits |= UInt64(bytes[position]) << UInt64(bitCount)
      position += 1
      bitCount += 8
    }
  }
}

/// A canonical Huffman code. Short codes are looked up by the next bits; longer ones, which are rare, are found width by
/// width, so that a stream of many small blocks does not pay for large tables.
private struct HuffmanCode {
  private static let longest = 15
  private static let shortBits = 9
  /// By the next nine bits: `symbol << 4 | width`; 0 where no code so short begins with them.
  private let short: [UInt16]
  /// How many codes there are of each width, and the symbols in the order of their codes.
  private let counts: [Int]
  private let symbols: [Int]

  static let fixedLengths = HuffmanCode(
    complete: [Int](repeating: 8, count: 144) + [Int](repeating: 9, count: 112) + [Int](repeating: 7, count: 24)
      + [Int](repeating: 8, count: 8))
  static let fixedDistances = HuffmanCode(complete: [Int](repeating: 5, count: 30))

  /// - Parameter widths: of each symbol's code; 0 for none. Nil when there are more codes than bits can tell apart.
  init?(_ widths: [Int]) {
    var room = 1
    for width in 1...Self.longest {
      room = 2 * room - widths.count { $0 == width }
      guard room >= 0 else { return nil }
    }
    self.init(complete: widths)
  }

  /// - Requires: no more codes of any width than its bits can tell apart.
  private init(complete widths: [Int]) {
    var counts = [Int](repeating: 0, count: Self.longest + 1)
    for width in widths where width > 0 { counts[width] += 1 }
    var next = [Int](repeating: 0, count: Self.longest + 2)
    for width in 1...Self.longest { next[width + 1] = (next[width] + counts[width]) << 1 }
    var short = [UInt16](repeating: 0, count: 1 << Self.shortBits)
    for (symbol, width) in widths.enumerated() where width > 0 && width <= Self.shortBits {
      // The first bit of a code comes first in the stream, where it is the lowest.
      var reversed = 0
      for bit in 0..<width where next[width] >> bit & 1 == 1 { reversed |= 1 << (width - 1 - bit) }
      next[width] += 1
      for index in stride(from: reversed, to: short.count, by: 1 << width) {
        short[index] = UInt16(symbol << 4 | width)
      }
    }
    self.short = short
    self.counts = counts
    symbols = widths.indices.filter { widths[$0] > 0 }.sorted { (widths[$0], $0) < (widths[$1], $1) }
  }

  /// The symbol that the bits begin with, and how many of them it takes.
  func first(in bits: UInt64) -> (symbol: Int, width: Int)? {
    let entry = short[Int(bits & (1 << UInt64(Self.shortBits) - 1))]
    if entry != 0 { return (Int(entry >> 4), Int(entry & 15)) }
    // The codes of each width are consecutive numbers that follow those of the width before.
    var code = 0
    var first = 0
    var index = 0
    for width in 1...Self.longest {
      code |= Int(bits >> UInt64(width - 1) & 1)
      if code - counts[width] < first { return (symbols[index + code - first], width) }
      index += counts[width]
      first = (first + counts[width]) << 1
      code <<= 1
    }
    return nil
  }
}
