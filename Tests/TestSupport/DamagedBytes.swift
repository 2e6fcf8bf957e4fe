import Tensors

/// One damaged copy of a file's bytes: what was done to it follows from the seed alone.
public struct DamagedBytes: Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    case truncation, bitFlip, zeroedRange, swappedBytes, extremeValue, repeatedRange, foreignRange
  }

  public let kind: Kind
  public let bytes: [UInt8]

  /// - Parameters:
  ///   - seed: decides what is done.
  ///   - original: the sound bytes; at least one.
  ///   - start: where what is at the front ends, which half of the damage is aimed at.
  public init(seed: UInt64, of original: [UInt8], start: Int = 64) {
    var random = SplitMix64(seed: SplitMix64.mix(seed))
    kind = Kind.allCases[Int.random(in: Kind.allCases.indices, using: &random)]
    var bytes = original
    let end = Bool.random(using: &random) ? original.count : min(start, original.count)
    let position = Int.random(in: 0..<end, using: &random)
    let length = Int.random(in: 1...max(1, min(64, original.count - position)), using: &random)
    let range = position..<min(position + length, bytes.count)
    switch kind {
    case .truncation: bytes.removeLast(bytes.count - position)
    case .bitFlip: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case .zeroedRange: for index in range { bytes[index] = 0 }
    case .swappedBytes: bytes[range].reverse()
    case .extremeValue: Self.overwrite(&bytes, in: position..<bytes.count, using: &random)
    case .repeatedRange: bytes.insert(contentsOf: original[range], at: position)
    case .foreignRange: for index in range { bytes[index] = UInt8.random(in: 0...255, using: &random) }
    }
    self.bytes = bytes
  }

  /// Writes a number from the edge of some range at the start of `place`, as far as it fits.
  public static func overwrite(_ bytes: inout [UInt8], in place: Range<Int>, using random: inout SplitMix64) {
    let values: [UInt64] = [
      0, 1, .max, .max >> 1, 1 << 63, 0xffff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff, 1 << 32, 1 << 40, 1 << 61, 255,
    ]
    let value = values.randomElement(using: &random) ?? 0
    let width = [1, 2, 4, 8].randomElement(using: &random) ?? 8
    for index in 0..<min(width, place.count) {
      bytes[place.lowerBound + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
    }
  }
}

/// A PNG file's chunks, with their checksums as a hostile writer would have them.
public enum PNGChunks {
  /// The same bytes with every chunk's checksum put right, as far as chunks can be told.
  public static func forged(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    var position = 8
    while position + 12 <= bytes.count {
      let length: Int = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - position - 12 else { break }
      let end = position + 8 + length
      let checksum = checksum(of: bytes[(position + 4)..<end])
      for index in 0..<4 { bytes[end + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * index)) }
      position = end + 4
    }
    return bytes
  }

  /// The CRC-32 of ISO 3309, bit by bit.
  public static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
    var sum = UInt32.max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 {
        let isOdd = sum & 1 == 1
        sum >>= 1
        if isOdd { sum ^= 0xedb8_8320 }
      }
    }
    return ~sum
  }
}
