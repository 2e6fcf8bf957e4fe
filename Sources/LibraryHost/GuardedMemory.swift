#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import Problems

/// A tensor between two stretches of memory that nothing may touch, flush with one of them: an access beside it is a fault at an
/// address that tells which tensor it belongs to, and how far from it.
///
///     guard │ lead … │ elements │ tail … │ guard
///
/// Lead and tail, which only alignment and whole pages leave, are filled with a canary.
///
/// `@unchecked Sendable`: the class only owns the mapping. One call at a time uses it.
final class GuardedMemory: @unchecked Sendable {
  /// Which of the two stretches the elements are flush with.
  enum Placement: Sendable {
    /// Up to alignment: an over-read faults.
    case atEnd
    /// At the start of a page: an under-read faults.
    case atStart
  }

  /// What lead and tail are filled with: NaN in every type of floats, by two patterns, so that who lets it into a result gives
  /// two results. As an integer it is no index.
  enum Canary: UInt16, Sendable, CaseIterable {
    case first = 0xFFFF
    case second = 0x7FFF
  }

  /// Far enough that a row or plane too far is still within it; address space, not memory.
  private static let guardBytes = 1 << 20

  let subject: Subject
  let bytes: TensorBytes
  private let canary: Canary
  private let mapping: UnsafeMutableRawPointer
  private let mappedBytes: Int
  /// Between the guards: whole pages.
  private let inner: UnsafeMutableRawBufferPointer

  /// - Parameters:
  ///   - subject: which tensor of the call it is.
  ///   - placement: where its elements lie.
  ///   - alignment: of the first element, in bytes: a power of two, at most a page.
  ///   - canary: of lead and tail.
  /// - Throws: ``Problems/EngineError/failed(_:detail:)`` where the system gives no memory.
  init(_ subject: Subject, placement: Placement, alignment: Int, canary: Canary) throws(EngineError) {
    self.subject = subject
    self.canary = canary
    let (page, size) = (Self.page, subject.type.bytes)
    let guardBytes = max(Self.guardBytes, page)
    let innerBytes = max(1, (size + page - 1) / page) * page
    mappedBytes = innerBytes + 2 * guardBytes
    guard
      let mapping = mmap(nil, mappedBytes, PROT_NONE, MAP_PRIVATE | Self.anonymous, -1, 0),
      mapping != UnsafeMutableRawPointer(bitPattern: -1)
    else {
      throw .failed("\(subject.path): \(mappedBytes) bytes cannot be mapped: \(String(cString: strerror(errno)))")
    }
    self.mapping = mapping
    inner = UnsafeMutableRawBufferPointer(start: mapping + guardBytes, count: innerBytes)
    let offset = placement == .atStart ? 0 : (innerBytes - size) / alignment * alignment
    bytes = TensorBytes(pointer: mapping + guardBytes + offset, type: subject.type)
    try protect(PROT_READ | PROT_WRITE)
    _ = inner.initializeMemory(as: UInt16.self, repeating: canary.rawValue)
  }

  deinit { munmap(mapping, mappedBytes) }

  /// As the system says.
  static let page = Int(sysconf(Int32(_SC_PAGESIZE)))

  private static var anonymous: Int32 {
    #if canImport(Darwin)
      MAP_ANON
    #else
      Int32(MAP_ANONYMOUS)
    #endif
  }

  /// From now on a write into the tensor is a fault.
  func makeReadOnly() throws(EngineError) { try protect(PROT_READ) }

  private func protect(_ access: Int32) throws(EngineError) {
    guard mprotect(inner.baseAddress, inner.count, access) == 0 else {
      throw .failed("\(subject.path): its memory cannot be protected: \(String(cString: strerror(errno)))")
    }
  }

  /// Whether an address lies in the tensor, beside it, or in one of its guards.
  func contains(_ address: UInt) -> Bool {
    let start = UInt(bitPattern: mapping)
    return address >= start && address < start + UInt(mappedBytes)
  }

  /// The position of an address in bytes from the tensor's first element.
  func offset(of address: UInt) -> Int { Int(bitPattern: address &- UInt(bitPattern: bytes.pointer)) }

  /// The first byte beside the tensor that no longer holds the canary, from the tensor's first element.
  func overwritten() -> Int? {
    let start = bytes.pointer - (inner.baseAddress ?? bytes.pointer)
    let pattern = canary.rawValue
    // In memory the lower byte comes first, and elements start at even offsets.
    let isBigEndian = UInt16(1).bigEndian == 1
    for position in inner.indices where position < start || position >= start + bytes.count {
      let isFirst = position % 2 == 0
      let expected = UInt8(truncatingIfNeeded: isFirst == isBigEndian ? pattern >> 8 : pattern)
      if inner[position] != expected { return position - start }
    }
    return nil
  }
}

/// One tensor of a call, by its place in the golden format.
struct Subject: Hashable, Sendable {
  let group: TensorGroup
  let name: String
  let type: TensorType

  var path: String { "\(group.rawValue)/\(name)" }
}
