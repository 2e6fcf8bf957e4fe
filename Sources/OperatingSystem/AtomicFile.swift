import Foundation

/// Writes files so that a reader sees the old content or the new, never half of it, and so that a power cut leaves one of
/// the two.
///
/// A symbolic link is followed, and the file that it leads to replaced; a file that was there keeps its mode. What is no
/// regular file (a device, a FIFO, a terminal) takes the bytes in place, and so does `/dev/stdout`, whatever it is open on.
public enum AtomicFile {
  /// Why a file could not be written.
  public struct Failure: Error, CustomStringConvertible, Hashable {
    public let path: String
    /// The system's own.
    public let reason: String
    public var description: String { "\(path): cannot be written: \(reason)" }
  }

  /// Writes to a temporary name in the same folder, made when missing, and renames.
  /// - Parameters:
  ///   - data: the content.
  ///   - path: the file.
  ///   - survivesPowerCut: false for what nobody reads after this run, which does not wait for the disk.
  /// - Throws: ``Failure`` with the path and the system's reason.
  public static func write(_ data: Data, to path: String, survivesPowerCut: Bool = true) throws(Failure) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw Failure(path: path, reason: error.localizedDescription)
    }
    do {
      try replace(path, survivesPowerCut: survivesPowerCut) { temporary in
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
  /// - Parameters:
  ///   - path: the file.
  ///   - survivesPowerCut: false for what nobody reads after this run, which does not wait for the disk.
  ///   - make: writes it.
  /// - Throws: what `make` throws, after which nothing is left behind; ``Failure``.
  public static func replace<Result>(
    _ path: String, survivesPowerCut: Bool = true, _ make: (_ temporary: String) throws -> Result
  ) throws -> Result {
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
      try copy(temporary, onto: target)
      return result
    }
    // On the disk before it takes the old one's place: the other way round a power cut leaves an empty file.
    if survivesPowerCut { try bringToDisk(temporary, writing: path) }
    guard rename(temporary, target.path) == 0 else { throw failure(path, errno) }
    Leftovers.forget(path: temporary)
    return result
  }

  private static func bringToDisk(_ temporary: String, writing path: String) throws(Failure) {
    let file = open(temporary, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure(path, errno) }
    let isSynced = fsync(file) == 0 || errno == EINVAL || errno == ENOTSUP
    let number = errno
    _ = close(file)
    guard isSynced else { throw failure(path, number) }
  }

  private struct Destination {
    var path: String
    var isRegular = true
    /// Of this process, where the path is only another name of it.
    var descriptor: Int32?
    /// Of the file that is there.
    var mode: mode_t?
  }

  /// Where a path leads in the end, and what is there.
  private static func destination(of path: String) throws(Failure) -> Destination {
    var found = stat()
    var path = path
    // As many links as the system itself follows.
    for _ in 0..<40 {
      if let number = descriptor(named: path) { return Destination(path: path, isRegular: false, descriptor: number) }
      guard lstat(path, &found) == 0 else { return Destination(path: path) }
      switch found.st_mode & S_IFMT {
      case S_IFLNK:
        guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
          throw failure(path, errno)
        }
        var target = stat()
        if stat(path, &target) == 0, ![S_IFREG, S_IFDIR].contains(target.st_mode & S_IFMT) {
          return Destination(path: path, isRegular: false)
        }
        path = next.hasPrefix("/") ? next : URL(fileURLWithPath: path).deletingLastPathComponent().path + "/" + next
      case S_IFREG: return Destination(path: path, mode: found.st_mode & 0o7777)
      case S_IFDIR: throw failure(path, EISDIR)
      default: return Destination(path: path, isRegular: false)
      }
    }
    throw failure(path, ELOOP)
  }

  /// The number in `/dev/fd/1` or `/proc/self/fd/1`, where `/dev/stdout` leads. Opening that anew would begin at the start of
  /// a file that the shell redirected to, and replacing it would take it away from whoever writes to it.
  private static func descriptor(named path: String) -> Int32? {
    for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
      if let number = Int32(path.dropFirst(folder.count)), fcntl(number, F_GETFD) >= 0 { return number }
    }
    return nil
  }

  private static func copy(_ temporary: String, onto target: Destination) throws(Failure) {
    guard let data = FileManager.default.contents(atPath: temporary) else { throw failure(target.path, EIO) }
    let reason: Int32?
    if let number = target.descriptor {
      let copy = dup(number)
      reason = copy < 0 ? errno : Descriptor(copy).write(data)
    } else {
      reason = put(data, to: target.path, creating: 0)
    }
    if let reason { throw failure(target.path, reason) }
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
