import Foundation

/// Writes files so that a reader sees the old content or the new, never half of it.
public enum AtomicFile {
  /// Why a report could not be written.
  public struct Failure: Error, CustomStringConvertible, Hashable {
    public let description: String
  }

  /// Writes to a temporary name in the same folder, made when missing, and renames.
  /// - Throws: ``Failure`` with the path and the system's reason.
  public static func write(_ data: Data, to path: String) throws(Failure) {
    let target = URL(fileURLWithPath: path)
    let folder = target.deletingLastPathComponent()
    let temporary = folder.appendingPathComponent(".\(target.lastPathComponent).\(UUID().uuidString).tmp")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try data.write(to: temporary)
    } catch {
      try? FileManager.default.removeItem(at: temporary)
      throw Failure(description: "\(path): cannot be written: \(error.localizedDescription)")
    }
    guard rename(temporary.path, target.path) == 0 else {
      let reason = String(cString: strerror(errno))
      try? FileManager.default.removeItem(at: temporary)
      throw Failure(description: "\(path): cannot be written: \(reason)")
    }
  }

  public static func write(_ text: String, to path: String) throws(Failure) { try write(Data(text.utf8), to: path) }
}
