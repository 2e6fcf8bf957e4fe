import Foundation

/// Writes files so that a reader sees the old content or the new, never half of it, and so that a power cut leaves one of
/// the two.
///
/// A symbolic link is followed, and the file that it leads to replaced; a file that was there keeps its mode. What is no
/// regular file (a device, a FIFO, a terminal) takes the bytes in place.
public enum AtomicFile {
  /// Why a file could not be written.
  public struct Failure: Error, CustomStringConvertible, Hashable {
    public let path: String
    /// The system's own.
    public let reason: String
    public var description: String { "\(path): cannot be written: \(reason)" }
  }

  /// Writes to a temporary name in the same folder, made when missing, and renames.
  /// - Throws: ``Failure`` with the path and the system's reason.
  public static func write(_ data: Data, to path: String) throws(Failure) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw Failure(path: path, reason: error.localizedDescription)
    }
    do {
      try replace(path) { temporary in
        if let number = put(data, to: temporary, creating: O_CREAT | O_EXCL) { throw failure(path, number) }
      }
    } catch let error as Failure { throw error } catch { throw Failure(path: path, reason: "\(error)") }
  }

  public static func write(_ text: String, to path: String) throws(Failure) { try write(Data(text.utf8), to: path) }

  /// Adds to the end of a file, which is made when missing: what several steps of a CI write to.
  /// - Throws: ``Failure``.
  public static func append(_ text: String, to path: String) throws(Failure) {
    if let number = put(Data(text.utf8), to: path, creating: O_CREAT | O_APPEND) { throw failure(path, number) }
  }

  /// Lets `make` write a file of a temporary name, and puts it in the place of `path` when it did.
  /// - Throws: what `make` throws, after which nothing is left behind; ``Failure``.
  public static func replace<Result>(_ path: String, _ make: (_ temporary: String) throws -> Result) throws -> Result {
    let target = try destination(of: path)
    let folder =
      target.isRegular ? URL(fileURLWithPath: target.path).deletingLastPathComponent().path : NSTemporaryDirectory()
    let temporary = "\(folder)/.\(Leftovers.uniqueName(Leftovers.filePrefix))"
    Leftovers.removeStale(in: folder)
    Leftovers.register(path: temporary)
    defer { Leftovers.remove(path: temporary) }
    let result = try make(temporary)
    if let mode = target.mode { _ = chmod(temporary, mode) }
    guard target.isRegular else {
      try copy(temporary, ontoSpecial: path)
      return result
    }
    // On the disk before it takes the old one's place: the other way round a power cut leaves an empty file.
    let file = open(temporary, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure(path, errno) }
    let isSynced = fsync(file) == 0 || errno == EINVAL || errno == ENOTSUP
    let number = errno
    _ = close(file)
    guard isSynced else { throw failure(path, number) }
    guard rename(temporary, target.path) == 0 else { throw failure(path, errno) }
    Leftovers.forget(path: temporary)
    return result
  }

  private struct Destination {
    var path: String
    var isRegular = true
    /// Of the file that is there.
    var mode: mode_t?
  }

  /// Where a path leads in the end, and what is there.
  private static func destination(of path: String) throws(Failure) -> Destination {
    var found = stat()
    var path = path
    // As many links as the system itself follows.
    for _ in 0..<40 {
      guard lstat(path, &found) == 0 else { return Destination(path: path) }
      switch found.st_mode & S_IFMT {
      case S_IFLNK:
        guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
          throw failure(path, errno)
        }
        // Links such as /proc/self/fd/1 lead to what has no name: a pipe, a deleted file.
        var target = stat()
        if stat(path, &target) == 0, target.st_mode & S_IFMT != S_IFREG {
          return Destination(path: path, isRegular: target.st_mode & S_IFMT == S_IFDIR)
        }
        path = next.hasPrefix("/") ? next : URL(fileURLWithPath: path).deletingLastPathComponent().path + "/" + next
      case S_IFREG: return Destination(path: path, mode: found.st_mode & 0o7777)
      // A rename onto a folder fails and says so.
      case S_IFDIR: return Destination(path: path)
      default: return Destination(path: path, isRegular: false)
      }
    }
    throw failure(path, ELOOP)
  }

  private static func copy(_ temporary: String, ontoSpecial path: String) throws(Failure) {
    guard let data = FileManager.default.contents(atPath: temporary) else { throw failure(path, EIO) }
    if let number = put(data, to: path, creating: 0) { throw failure(path, number) }
  }

  /// - Returns: the system's number of what went wrong.
  private static func put(_ data: Data, to path: String, creating flags: Int32) -> Int32? {
    let number = open(path, O_WRONLY | O_CLOEXEC | flags, 0o666)
    guard number >= 0 else { return errno }
    let file = Descriptor(number)
    return file.write(data)
  }

  static func failure(_ path: String, _ number: Int32) -> Failure {
    Failure(path: path, reason: String(cString: strerror(number)))
  }
}
