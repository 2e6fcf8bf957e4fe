import Foundation

/// A whole file in memory and its digest: what was checked is then what is parsed, whatever happens to the file meanwhile.
struct GoldenFileBytes {
  let bytes: [UInt8]
  /// Lower-case hexadecimal.
  let sha256: String

  /// - Throws: ``GoldenFileError`` for what is missing, a directory or other special file, empty, or too large.
  static func read(_ path: String, limits: GoldenLimits) throws(GoldenFileError) -> GoldenFileBytes {
    func error(_ kind: GoldenFileError.Kind, _ found: String, _ advice: String) -> GoldenFileError {
      GoldenFileError(kind, file: path, expected: "a file", found: found, advice: advice)
    }
    // Without blocking: a pipe that nobody writes to would hang the open.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw error(errno == ENOENT ? .missing : .notAGoldenFile, String(cString: strerror(errno)), "check the path")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let found = status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "a special file"
      throw error(.notAGoldenFile, found, "name a regular file")
    }
    guard status.st_size > 0 else { throw error(.notAGoldenFile, "an empty file", "fetch or generate it again") }
    guard status.st_size <= limits.maximumFileBytes else {
      throw GoldenFileError(
        .tooLarge, file: path, expected: "at most \(limits.maximumFileBytes) bytes", found: "\(status.st_size)",
        advice: "split the file, or store large tensors procedurally and sampled")
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
    let size = Int(status.st_size)
    guard let data = try? handle.read(upToCount: size), data.count == size else {
      throw error(.damaged, "a file that cannot be read to its end", "try again")
    }
    let bytes = [UInt8](data)
    return GoldenFileBytes(bytes: bytes, sha256: FileDigest.sha256(of: bytes))
  }
}
