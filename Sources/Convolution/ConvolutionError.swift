/// Why a convolution cannot be prepared or run. Thrown before anything is written.
public enum ConvolutionError: Error, Hashable, Sendable {
  /// The strategy does not do this problem or pass; the reason says which of its limits is exceeded.
  case unsupported(strategy: String, reason: String)
  /// A buffer has the wrong number of elements.
  case bufferMismatch(name: String, expected: Int, found: Int)
  /// A layout handed in is not the one the operation needs.
  case layoutMismatch(name: String, expected: String, found: String)
  /// A size overflows, or no memory is left for it.
  case outOfMemory(name: String, bytes: Int?)
  /// `ASSAY_ISA` or a caller asks for an instruction set that is unknown, or that this CPU lacks.
  case instructionSetUnavailable(asked: String, available: [String])
  /// A thread count below one, or threads that the system refuses.
  case threads(asked: Int)
}

extension ConvolutionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unsupported(let strategy, let reason): "\(strategy) does not support this: \(reason)"
    case .bufferMismatch(let name, let expected, let found):
      "\(name): expected \(expected) elements, found \(found)"
    case .layoutMismatch(let name, let expected, let found): "\(name): expected layout \(expected), found \(found)"
    case .outOfMemory(let name, let bytes):
      bytes.map { "\(name): no memory for \($0) bytes" } ?? "\(name): the size overflows"
    case .instructionSetUnavailable(let asked, let available):
      "instruction set \(asked) is not available here; available: \(available.joined(separator: ", "))"
    case .threads(let asked): "cannot run \(asked) threads"
    }
  }
}
