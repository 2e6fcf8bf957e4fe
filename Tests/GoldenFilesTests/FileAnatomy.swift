/// Where an HDF5 file's metadata is: found by signatures, so that damage can be aimed.
struct FileAnatomy {
  /// One message of an object header: what it is, and where its body lies.
  struct Message {
    let type: UInt8
    let body: Range<Int>
    /// The header that it is part of, without its checksum, which follows.
    let header: Range<Int>
  }

  /// Positions of the signatures of metadata blocks.
  let blocks: [Int]
  /// The messages of version 2 object headers whose checksum was found right.
  let messages: [Message]

  init(_ bytes: [UInt8]) {
    let signatures = [
      "OHDR", "OCHK", "FRHP", "FHDB", "FHIB", "BTHD", "BTLF", "BTIN", "GCOL", "TREE", "SNOD", "HEAP", "FSHD",
    ]
    .map { Array($0.utf8) }
    var blocks = [0]
    var messages: [Message] = []
    for start in 0..<max(0, bytes.count - 8) {
      guard let found = signatures.first(where: { bytes[start...].starts(with: $0) }) else { continue }
      blocks.append(start)
      if found == Array("OHDR".utf8) { messages += Self.messages(of: bytes, headerAt: start) }
    }
    self.blocks = blocks
    self.messages = messages
  }

  /// The messages of the first chunk of a header; none when it is not one after all.
  private static func messages(of bytes: [UInt8], headerAt start: Int) -> [Message] {
    guard start + 8 < bytes.count, bytes[start + 4] == 2 else { return [] }
    let flags = bytes[start + 5]
    var position = start + 6 + (flags & 0x20 != 0 ? 16 : 0) + (flags & 0x10 != 0 ? 4 : 0)
    let width = 1 << Int(flags & 3)
    guard position + width < bytes.count else { return [] }
    let size = (0..<width).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
    position += width
    let end = position + size
    guard size >= 0, size < bytes.count, end + 4 <= bytes.count else { return [] }
    let header = start..<end
    guard stored(bytes, end) == metadataChecksum(of: bytes[header]) else { return [] }
    var messages: [Message] = []
    let prefix = flags & 0x04 != 0 ? 6 : 4
    while position + prefix <= end {
      let length = Int(bytes[position + 1]) | Int(bytes[position + 2]) << 8
      let body = position + prefix..<position + prefix + length
      guard body.upperBound <= end else { break }
      if length > 0 { messages.append(Message(type: bytes[position], body: body, header: header)) }
      position = body.upperBound
    }
    return messages
  }

  private static func stored(_ bytes: [UInt8], _ position: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[position + $1]) << UInt32(8 * $1) }
  }
}
