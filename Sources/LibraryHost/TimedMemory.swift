#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import Convolution
import Problems

/// A tensor of a timed call: memory of the built-in engines' kind, in pages of its own, so that it can be made read-only.
final class TimedMemory {
  let subject: Subject
  let bytes: TensorBytes
  private let storage: AlignedBuffer
  private let pages: UnsafeMutableRawBufferPointer
  private var isReadOnly = false

  /// - Parameters:
  ///   - subject: which tensor of the call it is.
  ///   - alignment: of the first element, in bytes: a power of two, at most a page.
  /// - Throws: ``Problems/EngineError/failed(_:detail:)`` where there is not so much memory.
  init(_ subject: Subject, alignment: Int) throws(EngineError) {
    self.subject = subject
    let (page, size) = (GuardedMemory.page, subject.type.bytes)
    let whole = max(1, (size + page - 1) / page) * page
    let element = MemoryLayout<Float>.stride
    do throws(ConvolutionError) {
      storage = try AlignedBuffer(zeros: (whole + page) / element, name: subject.path)
    } catch { throw .failed("\(error)") }
    let start = UnsafeMutableRawPointer(storage.pointer)
    let aligned = start.alignedUp(toMultipleOf: page)
    pages = UnsafeMutableRawBufferPointer(start: aligned, count: whole)
    bytes = TensorBytes(pointer: aligned, type: subject.type)
    precondition(alignment <= page, "an alignment above a page")
  }

  deinit { protect(PROT_READ | PROT_WRITE) }

  /// Fills it with ``Problems/UnwrittenMark``.
  func mark() throws(EngineError) {
    if isReadOnly { try change(PROT_READ | PROT_WRITE) }
    isReadOnly = false
    bytes.mark()
  }

  /// Until it is marked again a write into it is a fault.
  func makeReadOnly() throws(EngineError) {
    try change(PROT_READ)
    isReadOnly = true
  }

  func contains(_ address: UInt) -> Bool {
    let start = UInt(bitPattern: pages.baseAddress)
    return address >= start && address < start + UInt(pages.count)
  }

  private func change(_ access: Int32) throws(EngineError) {
    guard protect(access) else {
      throw .failed("\(subject.path): its memory cannot be protected: \(String(cString: strerror(errno)))")
    }
  }

  @discardableResult
  private func protect(_ access: Int32) -> Bool { mprotect(pages.baseAddress, pages.count, access) == 0 }
}
