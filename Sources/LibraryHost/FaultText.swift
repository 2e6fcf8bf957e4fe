import CLibraryHost
import Foundation

extension LibraryWatch.Fault {
  /// What a library's code did, as a person needs to hear it: which tensor, how far from it, and which signal.
  /// - Parameters:
  ///   - call: the function.
  ///   - memories: the tensors of the call.
  ///   - hasReturned: whether the call had returned by then.
  func text(in call: String, _ memories: [GuardedMemory], hasReturned: Bool) -> String {
    guard let memory = memories.first(where: { $0.contains(address) }) else {
      let isAccess = signal == SIGSEGV || signal == SIGBUS
      let place = isAccess ? " at address 0x\(String(address, radix: 16)), in no tensor" : ""
      return "\(call) ended by \(name)\(place)"
    }
    return "\(call) \(verb) \(place(memory, hasReturned: hasReturned))"
  }

  private func place(_ memory: GuardedMemory, hasReturned: Bool) -> String {
    let (path, size) = (memory.subject.path, memory.subject.type.dtype.byteCount)
    let offset = memory.offset(of: address)
    if offset < 0 { return "\(Self.elements((size - 1 - offset) / size)) ahead of the start of \(path)" }
    if offset >= memory.bytes.count {
      return "\(Self.elements((offset - memory.bytes.count) / size + 1)) past the end of \(path)"
    }
    let element = "element \(offset / size) of \(path)"
    return hasReturned ? "\(element) after it had returned" : "\(element), which is read-only"
  }

  private static func elements(_ count: Int) -> String { count == 1 ? "1 element" : "\(count) elements" }

  private var verb: String {
    switch access {
    case .read: "read"
    case .write: "wrote"
    case .unknown: "touched"
    }
  }

  private var name: String {
    switch signal {
    case SIGSEGV: "SIGSEGV"
    case SIGBUS: "SIGBUS"
    case SIGFPE: "SIGFPE"
    case SIGILL: "SIGILL"
    default: "signal \(signal)"
    }
  }
}
