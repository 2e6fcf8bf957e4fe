/// Bob Jenkins's lookup3, with which HDF5 guards its metadata: a hostile writer can compute it as well as anyone.
///
/// - Source: `lookup3.c`, public domain, `hashlittle` with an initial value of zero.
func metadataChecksum(of bytes: ArraySlice<UInt8>) -> UInt32 {
  func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 { value << count | value >> (32 - count) }
  var a: UInt32 = 0xdead_beef &+ UInt32(truncatingIfNeeded: bytes.count)
  var b = a
  var c = a
  var rest = bytes
  func word(_ offset: Int) -> UInt32 {
    var value: UInt32 = 0
    for index in 0..<4 where offset + index < rest.count {
      value |= UInt32(rest[rest.startIndex + offset + index]) << UInt32(8 * index)
    }
    return value
  }
  while rest.count > 12 {
    a &+= word(0)
    b &+= word(4)
    c &+= word(8)
    a = (a &- c) ^ rotate(c, 4)
    c = c &+ b
    b = (b &- a) ^ rotate(a, 6)
    a = a &+ c
    c = (c &- b) ^ rotate(b, 8)
    b = b &+ a
    a = (a &- c) ^ rotate(c, 16)
    c = c &+ b
    b = (b &- a) ^ rotate(a, 19)
    a = a &+ c
    c = (c &- b) ^ rotate(b, 4)
    b = b &+ a
    rest = rest.dropFirst(12)
  }
  guard !rest.isEmpty else { return c }
  a &+= word(0)
  b &+= word(4)
  c &+= word(8)
  c = (c ^ b) &- rotate(b, 14)
  a = (a ^ c) &- rotate(c, 11)
  b = (b ^ a) &- rotate(a, 25)
  c = (c ^ b) &- rotate(b, 16)
  a = (a ^ c) &- rotate(c, 4)
  b = (b ^ a) &- rotate(a, 14)
  c = (c ^ b) &- rotate(b, 24)
  return c
}
