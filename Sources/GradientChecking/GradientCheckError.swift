import Tensors

/// Why a gradient could not be checked at all. Nothing that a caller passes in traps.
public enum GradientCheckError: Error, Sendable, Hashable {
  /// No operand to differentiate with respect to, or one without elements.
  case emptyTensor(String)
  /// An operand, an output or a gradient that is not finite; the text says which, and at what index.
  case nonFinite(String)
  /// The forward or the backward pass gave different bits for the same operands.
  case nondeterministic(String)
  /// A closure changed the storage of the operands that it was given.
  case mutatedInput(String)
  /// The backward pass left a gradient out, or returned one too many.
  case wrongGradients(expected: [String], found: [String])
  /// A gradient's or an output's shape is not the one it must have.
  case shapeMismatch(tensor: String, expected: Shape, found: Shape)
  /// The outputs' names or shapes changed between two evaluations.
  case unstableOutputs(String)
  /// The engine says that it cannot do this: counted, no failure.
  case unsupported(String)
  /// The closure threw.
  case evaluationFailed(String)
  /// Somebody raised the options' ``StopFlag``.
  case stopped
}

extension GradientCheckError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .emptyTensor(let name): "empty tensor: \(name) has no elements to differentiate with respect to"
    case .nonFinite(let what): "non-finite value: \(what)"
    case .nondeterministic(let what): "not deterministic: \(what)"
    case .mutatedInput(let name): "mutated input: \(name) was changed by the function under test"
    case .wrongGradients(let expected, let found):
      "wrong gradients: expected \(expected.joined(separator: ", ")), found \(found.joined(separator: ", "))"
    case .shapeMismatch(let tensor, let expected, let found):
      "shape mismatch: \(tensor): expected \(expected), found \(found)"
    case .unstableOutputs(let what): "unstable outputs: \(what)"
    case .unsupported(let what): "unsupported: \(what)"
    case .evaluationFailed(let what): "evaluation failed: \(what)"
    case .stopped: "stopped before it was done"
    }
  }
}
