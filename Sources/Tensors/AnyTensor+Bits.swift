#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// What tells tensors apart bit for bit: NaN by its payload, −0 from +0.

extension AnyTensor {
  /// A fingerprint of every bit, to tell whether an engine wrote to what it should only read.
  public var fingerprint: UInt64 {
    // A product carries differences upwards only, and that of a double's sign nowhere: a second one would undo it. The upper
    // half is therefore folded into the lower one each time.
    func mixed(_ bits: some Sequence<UInt64>) -> UInt64 {
      bits.reduce(0xCBF2_9CE4_8422_2325) { hash, word in
        let product = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 32
      }
    }
    return switch self {
    case .float32(let tensor): mixed(tensor.elements.lazy.map { UInt64($0.bitPattern) })
    case .float64(let tensor): mixed(tensor.elements.lazy.map(\.bitPattern))
    case .packed(let tensor): mixed(tensor.patterns.elements.lazy.map { UInt64($0) })
    case .int64(let tensor): mixed(tensor.elements.lazy.map { UInt64(bitPattern: $0) })
    }
  }

  /// The first element in which the bits differ from another tensor's; 0 where shape or type differ already.
  public func firstDifference(from other: AnyTensor) -> Int? {
    func first<Element>(_ mine: [Element], _ theirs: [Element], _ differ: (Element, Element) -> Bool) -> Int? {
      let areSame = mine.withUnsafeBytes { mine in
        theirs.withUnsafeBytes { theirs in
          // Nothing to compare has no address either.
          guard let a = mine.baseAddress, let b = theirs.baseAddress else { return true }
          return memcmp(a, b, mine.count) == 0
        }
      }
      return areSame ? nil : mine.indices.first { differ(mine[$0], theirs[$0]) }
    }
    guard shape == other.shape, dtype == other.dtype else { return 0 }
    return switch (self, other) {
    case (.float32(let mine), .float32(let theirs)):
      first(mine.elements, theirs.elements) { $0.bitPattern != $1.bitPattern }
    case (.float64(let mine), .float64(let theirs)):
      first(mine.elements, theirs.elements) { $0.bitPattern != $1.bitPattern }
    case (.packed(let mine), .packed(let theirs)): first(mine.patterns.elements, theirs.patterns.elements, !=)
    case (.int64(let mine), .int64(let theirs)): first(mine.elements, theirs.elements, !=)
    default: 0
    }
  }

  /// One element with its bits: what tells −0 from +0 and one NaN from another.
  public func described(at element: Int) -> String {
    switch self {
    case .float32(let tensor): Self.described(tensor.elements[element], tensor.elements[element].bitPattern)
    case .float64(let tensor): Self.described(tensor.elements[element], tensor.elements[element].bitPattern)
    case .packed(let tensor): Self.described(tensor[element], tensor.patterns.elements[element])
    case .int64(let tensor): "\(tensor.elements[element])"
    }
  }

  private static func described(_ value: some CustomStringConvertible, _ bits: some BinaryInteger) -> String {
    "\(value) (bits 0x\(String(bits, radix: 16)))"
  }

  /// Turns the order of the elements of floats round, in the memory that they lie in; integers stay.
  /// - Requires: nobody else holds the elements; otherwise they get memory of their own.
  public mutating func reverseElements() {
    switch self {
    case .float32(var tensor):
      self = .int64(Tensor(shape: [0], elements: []))
      tensor.elements.reverse()
      self = .float32(tensor)
    case .float64(var tensor):
      self = .int64(Tensor(shape: [0], elements: []))
      tensor.elements.reverse()
      self = .float64(tensor)
    case .packed(var tensor):
      self = .int64(Tensor(shape: [0], elements: []))
      tensor.patterns.elements.reverse()
      self = .packed(tensor)
    case .int64: break
    }
  }
}
