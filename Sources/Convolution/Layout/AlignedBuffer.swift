#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Float storage on a cache-line boundary, freed with its owner; large ones ask for huge pages.
///
/// `@unchecked Sendable`: the class only owns the memory. Who writes which part of it and when is the business of the
/// operation it belongs to, and every operation gives each part to one thread.
public final class AlignedBuffer: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Float>
  public let count: Int
  public var bytes: Int { count * MemoryLayout<Float>.stride }
  public var buffer: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

  /// `count` zeros.
  /// - Throws: ``ConvolutionError/outOfMemory(name:bytes:)``.
  public init(zeros count: Int, name: String) throws(ConvolutionError) {
    let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    guard !overflow, bytes < 1 << 46 else { throw .outOfMemory(name: name, bytes: overflow ? nil : bytes) }
    var memory: UnsafeMutableRawPointer?
    let large = bytes >= 1 << 21
    guard posix_memalign(&memory, large ? 1 << 21 : 64, bytes) == 0, let memory else {
      throw .outOfMemory(name: name, bytes: bytes)
    }
    #if os(Linux)
      // Advice only: fewer page walks where the kernel grants it, no harm where it does not.
      if large { madvise(memory, bytes, 14 /* MADV_HUGEPAGE */) }
    #endif
    memset(memory, 0, bytes)
    pointer = memory.bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
  }

  deinit { free(pointer) }
}
