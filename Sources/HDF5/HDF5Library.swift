import CHDF5
import Foundation

/// The one libhdf5 of the process. It is not thread safe, so every call of this module is made under one lock.
public enum HDF5Library {
  /// The version of libhdf5 that is linked, e.g. "1.10.8".
  public static let version: String = {
    lock()
    defer { unlock() }
    return linkedVersion
  }()

  /// The same, to be asked for under the lock.
  static let linkedVersion: String = {
    var major: UInt32 = 0
    var minor: UInt32 = 0
    var release: UInt32 = 0
    guard H5get_libversion(&major, &minor, &release) >= 0 else { return "unknown" }
    return "\(major).\(minor).\(release)"
  }()

  /// Recursive, because a handle may be released, and so closed, while another call holds the lock.
  private static let mutex = NSRecursiveLock()

  /// Starts the library once. No plugins are loaded, whatever the environment says: a file must not choose code to run.
  private static let started: Bool = {
    // At exit another thread may still be inside the library; files are closed by their own handles instead.
    _ = H5dont_atexit()
    let opened = H5open() >= 0
    _ = H5PLset_loading_state(0)
    return opened
  }()

  /// Takes the lock; must be followed by `defer { unlock() }`.
  static func lock() {
    mutex.lock()
    _ = started
    // The error stack and its printing belong to a thread in thread-safe builds of the library.
    assay_h5_silence_errors()
  }

  static func unlock() { mutex.unlock() }

  /// Descriptions of the last failure, innermost first. To be called under the lock, before any other library call.
  static func errorStack() -> [String] {
    var stack: [String] = []
    withUnsafeMutablePointer(to: &stack) { pointer in
      assay_h5_visit_errors(
        { description, function, context in
          guard let description, let function, let context else { return }
          let text = String(cString: description)
          let line = text.isEmpty ? String(cString: function) : text
          context.assumingMemoryBound(to: [String].self).pointee.append(line)
        }, pointer)
    }
    return stack
  }
}
