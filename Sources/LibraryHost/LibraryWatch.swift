import CLibraryHost
import Foundation
import Problems

/// Calls into a library of others' code, which a fault returns from.
///
/// One thread of the program calls at a time.
enum LibraryWatch {
  /// A signal of wrong code.
  struct Fault: Hashable, Sendable {
    enum Access: Hashable, Sendable { case unknown, read, write }

    var signal: Int32
    var access: Access
    var address: UInt
  }

  /// What a call came to.
  enum Outcome {
    case returned(Int32)
    /// Nothing of the library may be called any more: its locks may be held for ever.
    case faulted(Fault)
  }

  static func call(_ function: assay_function, _ call: UnsafePointer<assay_call>) -> Outcome {
    outcome(assay_watched_call(function, call))
  }

  static func prepare(
    _ function: assay_prepare_function, _ call: UnsafePointer<assay_call>,
    _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  ) -> Outcome {
    outcome(assay_watched_prepare(function, call, state))
  }

  static func release(_ function: assay_release_function, _ state: UnsafeMutableRawPointer?) -> Outcome {
    outcome(assay_watched_release(function, state))
  }

  /// Before the calls of one request: faults of this thread and of the library's own come here from now on.
  static func begin() {
    assay_watch_this_thread()
    assay_watch_answering(1)
  }

  /// After the last byte of a request's results was read: a thread of the library that writes any more ends the process.
  static func end() { assay_watch_answering(0) }

  /// The fault of a thread that the library left behind.
  static var late: Fault? {
    let found = assay_first_fault()
    guard found.signal != 0 else { return nil }
    let access: Fault.Access =
      switch Int(found.access) {
      case ASSAY_ACCESS_READ: .read
      case ASSAY_ACCESS_WRITE: .write
      default: .unknown
      }
    return Fault(signal: found.signal, access: access, address: UInt(found.address))
  }

  private static func outcome(_ code: Int32) -> Outcome {
    // Also where the caller returned: another thread of the library may have faulted meanwhile.
    if let late { return .faulted(late) }
    return .returned(code)
  }
}
