import CLibraryHost
import Problems

/// The calls of one operation in one memory: prepared on construction, released by ``release()`` or with it.
final class LibraryCalls {
  /// Why a call gave nothing.
  enum Failure: Error {
    case faulted(LibraryWatch.Fault, function: String)
    case returned(EngineError)
  }

  let operation: String
  private let functions: SharedLibrary.Functions
  private let header: CallFrame.Header
  private var state: UnsafeMutableRawPointer?
  private var isPrepared = false
  private(set) var workspaceBytes = 0
  private(set) var summary: String?

  /// - Parameters:
  ///   - functions: what the library exports for the operation.
  ///   - header: what each call says.
  ///   - passes: what it is prepared for.
  ///   - arguments: operands, cotangents and results; parameters and buffers with their elements, the others without.
  init(
    _ functions: SharedLibrary.Functions, _ header: CallFrame.Header, passes: Set<Pass>,
    arguments: [CallFrame.Argument]
  ) throws(Failure) {
    self.functions = functions
    self.header = header
    operation = header.operation
    guard let prepare = functions.prepare else { return }
    let frame = CallFrame(header, passes: passes, arguments: arguments)
    var made: UnsafeMutableRawPointer?
    let outcome = LibraryWatch.prepare(prepare, frame.call, &made)
    try check(outcome, frame, "\(operation)_prepare")
    state = made
    isPrepared = true
    workspaceBytes = frame.workspaceBytes
    summary = frame.description
  }

  /// The frame of a pass on these tensors, to be run any number of times.
  func frame(_ pass: Pass, arguments: [CallFrame.Argument]) -> CallFrame {
    CallFrame(header, passes: [pass], arguments: arguments, state: state)
  }

  /// The function of a pass.
  /// - Throws: ``Problems/EngineError/unsupported(_:)`` where the library has none.
  func function(_ pass: Pass) throws(EngineError) -> assay_function {
    if pass == .forward { return functions.forward }
    guard let backward = functions.backward else {
      throw .unsupported("the library exports no backward pass of \(operation)")
    }
    return backward
  }

  func run(_ function: assay_function, _ frame: CallFrame, _ pass: Pass) throws(Failure) {
    let outcome = LibraryWatch.call(function, frame.call)
    // The usual end, without anything that costs time.
    if case .returned(Int32(ASSAY_OK)) = outcome { return }
    try check(outcome, frame, pass == .forward ? operation : "\(operation)_backward")
  }

  deinit { try? release() }

  /// Gives back what prepare made, unless the library faulted meanwhile.
  func release() throws(Failure) {
    guard isPrepared, let release = functions.release, LibraryWatch.late == nil else { return }
    isPrepared = false
    if case .faulted(let fault) = LibraryWatch.release(release, state) {
      throw .faulted(fault, function: "\(operation)_release")
    }
  }

  private func check(_ outcome: LibraryWatch.Outcome, _ frame: CallFrame, _ function: String) throws(Failure) {
    let code: Int32
    switch outcome {
    case .faulted(let fault): throw .faulted(fault, function: function)
    case .returned(let returned): code = returned
    }
    let message = frame.message
    func refused(_ category: ProblemError.Category) -> Failure {
      .returned(.refused(category: category.rawValue, message: message ?? "\(function) gave no reason"))
    }
    switch Int(code) {
    case ASSAY_OK: return
    case ASSAY_UNSUPPORTED: throw .returned(.unsupported(message ?? "\(function) does not do this"))
    case ASSAY_SHAPE_MISMATCH: throw refused(.shapeMismatch)
    case ASSAY_INVALID_ARGUMENT: throw refused(.invalidArgument)
    case ASSAY_UNSUPPORTED_DTYPE: throw refused(.unsupportedDType)
    case ASSAY_INDEX_OUT_OF_RANGE: throw refused(.indexOutOfRange)
    default: throw .returned(.failed("\(function) returned \(code)" + (message.map { ": \($0)" } ?? "")))
    }
  }
}
