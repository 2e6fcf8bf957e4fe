/// Why an engine gave no answer.
public enum EngineError: Error, Sendable, Hashable {
  /// It cannot do what was asked, and says why: UNSUPPORTED.
  case unsupported(String)
  /// It refused the input: REFUSED where that is expected, an error elsewhere. `category` is as the engine named it.
  case refused(category: String, message: String)
  /// It failed in any other way (crash, time-out, garbage): an ERROR. `detail` has the exit signal, the last lines of its
  /// log, and the request.
  case failed(String, detail: String = "")

  public init(_ error: ProblemError) {
    self = .refused(category: error.category.rawValue, message: error.description)
  }
}

extension EngineError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unsupported(let reason): "unsupported: \(reason)"
    case .refused(let category, let message): message.hasPrefix(category) ? message : "\(category): \(message)"
    case .failed(let what, let detail): detail.isEmpty ? what : "\(what)\n\(detail)"
    }
  }
}
