import Foundation

/// A terminal for programs to write to, whose other end is the test's.
public final class PseudoTerminal {
  private let descriptor: Int32
  /// What programs open.
  public let path: String

  public struct Unavailable: Error {}

  /// - Throws: ``Unavailable``.
  public init() throws {
    descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else { throw Unavailable() }
    #if os(Linux)
      // `unlockpt` and `ptsname`, which Swift's Glibc module leaves out.
      let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
      var (isLocked, number): (Int32, Int32) = (0, 0)
      guard ioctl(descriptor, setLock, &isLocked) == 0, ioctl(descriptor, getNumber, &number) == 0 else {
        throw Unavailable()
      }
      path = "/dev/pts/\(number)"
    #else
      guard grantpt(descriptor) == 0, unlockpt(descriptor) == 0, let name = ptsname(descriptor) else {
        throw Unavailable()
      }
      path = String(cString: name)
    #endif
  }

  deinit { close(descriptor) }

  /// What was written since the last time. A terminal that nobody reads is full at some time, and stops whoever writes.
  public func read() -> String {
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = Foundation.read(descriptor, &chunk, chunk.count)
      guard count > 0 else { return String(decoding: text, as: UTF8.self) }
      text += chunk[..<count]
    }
  }
}
