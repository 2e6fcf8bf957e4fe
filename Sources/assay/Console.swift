import Foundation
import Synchronization

/// The one way to print. Results go to stdout, everything else to stderr; neither traps when its reader is gone or its disk
/// full, and a failure is remembered.
enum Console {
  private static let outputFailure = Mutex<Int32?>(nil)
  private static let isOutputClaimed = Mutex(false)

  /// Why something could not be written to stdout; `nil` when all was, or when whoever read it had enough (a closed pipe
  /// or descriptor).
  static var failure: String? {
    outputFailure.withLock { number in number.map { String(cString: strerror($0)) } }
  }

  /// Opens the null device in the place of every standard descriptor that the caller closed. The next file would be given its
  /// number otherwise, and what is printed would be written into that file. Call it before anything is opened.
  static func claimDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// Keeps stdout for what ``printAlone(_:)`` writes, such as JSON that another program reads: all other text goes to stderr.
  static func claimOutput() { isOutputClaimed.withLock { $0 = true } }

  /// Where results go.
  static var resultDescriptor: Int32 { isOutputClaimed.withLock(\.self) ? STDERR_FILENO : STDOUT_FILENO }

  /// Results, to stdout.
  static func print(_ text: String, terminator: String = "\n") {
    if resultDescriptor == STDOUT_FILENO {
      printAlone(text + terminator)
    } else {
      _ = write(text + terminator, to: resultDescriptor)
    }
  }

  /// To stdout, whoever claimed it.
  static func printAlone(_ text: String) {
    guard let number = write(text, to: STDOUT_FILENO), number != EPIPE, number != EBADF else { return }
    outputFailure.withLock { $0 = $0 ?? number }
  }

  /// A line on stderr.
  static func note(_ text: String) { _ = write(text + "\n", to: STDERR_FILENO) }

  /// `error: …` on stderr.
  static func error(_ text: String) { note("error: \(text)") }

  /// Text on stderr as it is, without a line's end: progress.
  static func progress(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// - Returns: the system's reason when not all of it could be written.
  private static func write(_ text: String, to descriptor: Int32) -> Int32? {
    let bytes = Array(text.utf8)
    var offset = 0
    while offset < bytes.count {
      let count = bytes[offset...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        offset += count
      } else if errno == EAGAIN {
        // A terminal or pipe in non-blocking mode, which another program may have set: wait until it takes more.
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&ready, 1, 1_000) >= 0 || errno == EINTR else { return errno }
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }
}
