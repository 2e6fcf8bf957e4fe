import Tensors
import TestSupport

/// One damaged copy of a file: what was done to it follows from the seed alone.
struct Corruption {
  enum Kind: String, CaseIterable {
    case truncation, bitFlip, metadataBitFlip, zeroedRange, swappedBytes, extremeValue
    /// The rest rewrite a message of an object header and then its checksum, as a hostile writer would.
    case shape, datatype, layout, filter, link, attribute, anyMessage

    /// The number of the message in HDF5's file format, where there is only one.
    var messageType: UInt8? {
      switch self {
      case .shape: 0x01
      case .datatype: 0x03
      case .link: 0x06
      case .layout: 0x08
      case .filter: 0x0b
      case .attribute: 0x0c
      default: nil
      }
    }

    var forgesChecksums: Bool { messageType != nil || self == .anyMessage }
  }

  let kind: Kind
  let seed: UInt64
  let bytes: [UInt8]

  /// - Returns: nil where this kind finds nothing to change in the file, or the bytes stayed as they were.
  init?(_ kind: Kind, seed: UInt64, of original: [UInt8], _ anatomy: FileAnatomy) {
    self.kind = kind
    self.seed = seed
    var random = SplitMix64(seed: seed)
    var bytes = original
    func position() -> Int { Int.random(in: 0..<original.count, using: &random) }
    /// Half of the time near the start of a metadata block.
    func aimed() -> Int {
      let block = anatomy.blocks.randomElement(using: &random) ?? 0
      return min(original.count - 1, block + Int.random(in: 0..<96, using: &random))
    }
    switch kind {
    case .truncation:
      // Near the front, where the headers are, as often as anywhere else.
      let length = Bool.random(using: &random) ? position() : min(position(), Int.random(in: 0...2048, using: &random))
      bytes.removeLast(bytes.count - length)
    case .bitFlip: bytes[position()] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case .metadataBitFlip: bytes[aimed()] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case .zeroedRange:
      let start = Bool.random(using: &random) ? position() : aimed()
      let end = min(bytes.count, start + Int.random(in: 1...4096, using: &random))
      for index in start..<end { bytes[index] = 0 }
    case .swappedBytes:
      let start = Bool.random(using: &random) ? position() : aimed()
      let width = [2, 4, 8].randomElement(using: &random) ?? 2
      guard start + width <= bytes.count else { return nil }
      bytes[start..<start + width].reverse()
    case .extremeValue:
      DamagedBytes.overwrite(&bytes, in: aimed()..<bytes.count, using: &random)
    default:
      let candidates = anatomy.messages.filter { kind.messageType == nil || $0.type == kind.messageType }
      guard let message = candidates.randomElement(using: &random) else { return nil }
      Self.rewrite(&bytes, message, kind, using: &random)
      let checksum = metadataChecksum(of: bytes[message.header])
      for index in 0..<4 {
        bytes[message.header.upperBound + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index))
      }
    }
    guard bytes != original else { return nil }
    self.bytes = bytes
  }

  private static func rewrite(
    _ bytes: inout [UInt8], _ message: FileAnatomy.Message, _ kind: Kind, using random: inout SplitMix64
  ) {
    let body = message.body
    switch Int.random(in: 0..<3, using: &random) {
    case 0: bytes[Int.random(in: body, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1 where kind == .link && body.count > 3:
      // The flag that says a link's type is stored, and a type: soft, external, or a user's.
      bytes[body.lowerBound + 1] |= 0x08
      bytes[body.lowerBound + 2] = [1, 64, 65, 255].randomElement(using: &random) ?? 1
    case 1 where kind == .shape && body.count >= 12:
      // An extent of a version 2 dataspace.
      let extent = body.lowerBound + 4 + 8 * Int.random(in: 0..<(body.count - 4) / 8, using: &random)
      DamagedBytes.overwrite(&bytes, in: extent..<extent + 8, using: &random)
    default: DamagedBytes.overwrite(&bytes, in: Int.random(in: body, using: &random)..<body.upperBound, using: &random)
    }
  }
}
