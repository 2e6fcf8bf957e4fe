/// Tries golden files in a child process under limits, so that a file that crashes or hangs the library is an error.
public struct GoldenFileProbe: Sendable {
  /// Throws unless the child found the whole file sound, and found it with this digest.
  func requireSound(_ path: String, sha256: String, limits: GoldenLimits) throws(GoldenFileError) {}
}
