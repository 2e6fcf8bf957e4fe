import Convolution
import Problems

/// Why a network cannot be prepared or run. Thrown before anything is computed.
public enum ExecutionError: Error, Hashable, Sendable {
  /// A tensor of the state dict that the network needs and was not given, or one of another shape.
  case weight(name: String, expected: String, found: String)
  /// Images, or another operand, of another shape than was prepared for.
  case operand(name: String, expected: String, found: String)
  /// A layer that cannot be computed at this place.
  case unsupported(layer: String, reason: String)
  case problem(ProblemError)
  case convolution(ConvolutionError)
}

extension ExecutionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .weight(let name, let expected, let found), .operand(let name, let expected, let found):
      "\(name): expected \(expected), found \(found)"
    case .unsupported(let layer, let reason): "\(layer): \(reason)"
    case .problem(let error): error.description
    case .convolution(let error): error.description
    }
  }
}

/// The body's result, with a convolution's error as one of this module.
func translating<Result>(
  _ body: () throws(ConvolutionError) -> Result
) throws(ExecutionError) -> Result {
  do { return try body() } catch { throw .convolution(error) }
}
