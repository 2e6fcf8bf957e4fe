#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that no other process reads or writes through this type until it is released.
final class LockedTextFile {
  private let descriptor: Int32

  /// - Returns: `nil` when it cannot be opened or locked.
  init?(_ path: String, creates: Bool) {
    descriptor = creates ? open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    while flock(descriptor, creates ? LOCK_EX : LOCK_SH) != 0 {
      guard errno == EINTR else {
        close(descriptor)
        return nil
      }
    }
  }

  /// Closing gives the lock back.
  deinit { close(descriptor) }

  func text() -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    lseek(descriptor, 0, SEEK_SET)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
    }
  }

  func append(_ text: String) {
    let bytes = Array(text.utf8)
    var offset = 0
    while offset < bytes.count {
      let count = bytes[offset...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 || errno == EINTR else { return }
      offset += max(count, 0)
    }
  }

  func replace(with text: String) {
    guard ftruncate(descriptor, 0) == 0 else { return }
    append(text)
  }
}
