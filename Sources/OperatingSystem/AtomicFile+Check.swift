import Foundation

extension AtomicFile {
  /// Finds out whether a file could be written there, before the work that makes its content; leaves nothing behind but the
  /// folder.
  /// - Throws: ``Failure`` with the path and the system's reason.
  public static func check(_ path: String) throws(Failure) {
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    var found = stat()
    if stat(target.path, &found) == 0, found.st_mode & S_IFMT != S_IFREG {
      let isFolder = found.st_mode & S_IFMT == S_IFDIR
      guard !isFolder, access(target.path, W_OK) == 0 else { throw failure(path, isFolder ? EISDIR : errno) }
      return
    }
    let folder = target.deletingLastPathComponent().path
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw Failure(path: path, reason: error.localizedDescription)
    }
    let probe = "\(folder)/.\(Leftovers.uniqueName(Leftovers.filePrefix))"
    Leftovers.register(path: probe)
    defer { Leftovers.remove(path: probe) }
    let file = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure(path, errno) }
    // A byte, since a full disk may well have room for a name.
    let isWritten = Foundation.write(file, [0], 1) == 1
    let number = errno
    _ = close(file)
    guard isWritten else { throw failure(path, number) }
  }
}
