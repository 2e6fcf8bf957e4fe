import Foundation
import Synchronization

/// One process alone writes a run to a folder: others are told whose it is.
///
/// The lock is `flock` on a file in the folder, which holds the process's number and is gone when the process is; a kill leaves the
/// file, but no lock.
public enum FolderLock {
  /// In a folder, hidden by a dot.
  package static let fileName = ".assay-lock"

  /// The folders that are this process's, by the path of their file. Nothing closes them but its end.
  private static let held = Mutex<Set<String>>([])

  /// Takes a folder for this process until it ends; once more is nothing.
  /// - Parameter folder: which is there.
  /// - Throws: ``AtomicFile/Failure`` that names the process which has it.
  public static func hold(_ folder: String) throws(AtomicFile.Failure) {
    let path = URL(fileURLWithPath: folder).resolvingSymlinksInPath().appendingPathComponent(fileName).path
    let attempt = held.withLock { held -> Attempt in
      guard !held.contains(path) else { return .taken }
      let attempt = take(path)
      if case .taken = attempt { held.insert(path) }
      return attempt
    }
    guard case .foreign(let owner) = attempt else { return }
    let process = owner.map { "process \($0)" } ?? "another process"
    throw AtomicFile.Failure(path: folder, reason: "\(process) is writing a run to it; give another --out, or wait")
  }

  private enum Attempt {
    case taken
    /// By the number that is written in the file, where it can be read.
    case foreign(pid_t?)
    /// A file system without locks, or a folder that takes no file: whoever writes to it finds out.
    case notLockable
  }

  private static func take(_ path: String) -> Attempt {
    // The file that was opened may have been removed by its owner before it was locked.
    for _ in 0..<100 {
      let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
      guard file >= 0 else { return .notLockable }
      guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
        let isForeign = errno == EWOULDBLOCK
        let owner = isForeign ? number(in: file) : nil
        close(file)
        return isForeign ? .foreign(owner) : .notLockable
      }
      var opened = stat()
      var named = stat()
      let isThere = fstat(file, &opened) == 0 && stat(path, &named) == 0
      if isThere, opened.st_ino == named.st_ino, opened.st_dev == named.st_dev {
        Leftovers.register(path: path)
        let text = Array("\(getpid())\n".utf8)
        // Without the number the lock holds all the same.
        if ftruncate(file, 0) == 0 { _ = write(file, text, text.count) }
        return .taken
      }
      close(file)
    }
    return .notLockable
  }

  private static func number(in file: Int32) -> pid_t? {
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = pread(file, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    return pid_t(String(decoding: bytes[..<count], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
