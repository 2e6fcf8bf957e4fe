import Foundation

/// A whole file in memory and its digest: what was checked is then what is parsed, whatever happens to the file meanwhile.
package struct GoldenFileBytes {
  let bytes: [UInt8]
  /// Lower-case hexadecimal.
  let sha256: String

  /// - Throws: ``GoldenFileError`` for what is missing, a directory or other special file, empty, or too large.
  static func read(_ path: String, limits: GoldenLimits) throws(GoldenFileError) -> GoldenFileBytes {
    let bytes = try regularFile(path, limits: limits).bytes
    return GoldenFileBytes(bytes: bytes, sha256: FileDigest.sha256(of: bytes))
  }

  /// The bytes of a regular file.
  /// - Parameters:
  ///   - path: the file.
  ///   - limits: how large it may be.
  ///   - start: how many bytes of its start are asked for; `nil` for all.
  /// - Returns: the bytes, and how large the whole file is.
  /// - Throws: ``GoldenFileError`` for what is missing, a directory or other special file, empty, or too large.
  package static func regularFile(
    _ path: String, limits: GoldenLimits, start: Int? = nil
  ) throws(GoldenFileError) -> (bytes: [UInt8], fileBytes: Int) {
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
    guard status.st_size <= limits.fileBytes else {
      throw GoldenFileError(
        .tooLarge, file: path, expected: "at most \(limits.fileBytes) bytes", found: "\(status.st_size)",
        advice: "split the file, store large tensors procedurally and sampled, or raise the limit with --max-memory")
    }
    let fileBytes = Int(status.st_size)
    let size = min(fileBytes, start ?? fileBytes)
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let got = Foundation.read(
          descriptor,
          UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]).baseAddress,
          size - count)
        if got < 0, errno == EINTR { continue }
        guard got > 0 else { return }
        count += got
      }
    }
    guard bytes.count == size else { throw error(.damaged, "a file that cannot be read to its end", "try again") }
    return (bytes, fileBytes)
  }
}
