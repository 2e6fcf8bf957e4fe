import Tensors

/// What the generic implementation of an operation is given: an ``Exercise`` read in one scalar type, or operands that a
/// checker made, dual numbers among them.
///
/// Operands are found by their name alone: within one operation no input, parameter and buffer share a name.
public struct Given<Scalar: RealScalar>: Sendable {
  /// Floating-point operands.
  public var operands: [String: Tensor<Scalar>]
  /// Class indices, row numbers and counts.
  public var integers: [String: Tensor<Int64>]
  /// Cotangents by output name; empty where no gradient is wanted.
  public var upstream: [String: Tensor<Scalar>]
  /// Whether outputs are wanted: of an operation whose gradients need no result of its forward pass, that pass is then left out.
  public var wantsOutputs = true
  /// The operands whose gradients are wanted; all where it is `nil`.
  public var wantedGradients: Set<String>?
  /// Decides the branches of an operation that branches, in place of its operands.
  public var gate: Gate?
  /// Threads that may share the work; they change no bit.
  public var threads = 1
  /// The type that an implementation under judgement keeps each layer's result in: of 16 bits it rounds more than the sums do.
  public var storage = DType.float32
  /// Computes in a definition's place, in double precision; `nil` for the definition's own loops.
  public var oracle: Oracle?

  public init(
    operands: [String: Tensor<Scalar>], integers: [String: Tensor<Int64>] = [:],
    upstream: [String: Tensor<Scalar>] = [:]
  ) {
    self.operands = operands
    self.integers = integers
    self.upstream = upstream
  }

  /// An operand that the operation cannot do without.
  /// - Throws: ``ProblemError`` when it is missing.
  public func operand(_ name: String) throws(ProblemError) -> Tensor<Scalar> {
    guard let tensor = operands[name] else {
      throw ProblemError(.shapeMismatch, name, expected: "a tensor", found: "none")
    }
    return tensor
  }

  /// An operand that a validated problem is known to have.
  public subscript(name: String) -> Tensor<Scalar> {
    guard let tensor = operands[name] else { preconditionFailure("no operand \(name)") }
    return tensor
  }

  public func integers(_ name: String) throws(ProblemError) -> Tensor<Int64> {
    guard let tensor = integers[name] else {
      let found = operands[name] == nil ? "no tensor" : "floats"
      throw ProblemError(.unsupportedDType, name, expected: "int64", found: found)
    }
    return tensor
  }

  /// The cotangent of an output; `nil` where no gradient is wanted through it.
  /// - Throws: ``ProblemError`` when its shape is not the output's.
  public func cotangent(_ name: String = "y", shape: Shape) throws(ProblemError) -> Tensor<Scalar>? {
    guard let tensor = upstream[name] else { return nil }
    guard tensor.shape == shape else {
      throw ProblemError(
        .shapeMismatch, "upstream/\(name)", expected: "shape \(shape)", found: "shape \(tensor.shape)")
    }
    return tensor
  }

  /// Whether the result of a path such as `outputs/y` or `gradients/weight` is wanted.
  public func wants(_ path: String) -> Bool {
    path.hasPrefix("gradients/") ? wantsGradient(String(path.dropFirst(10))) : wantsOutputs
  }

  public func wantsGradient(_ name: String) -> Bool { wantedGradients?.contains(name) ?? true }
}

extension Given where Scalar: StoredScalar {
  /// The one place where an exercise becomes tensors of one scalar type: integers go to ``integers``, everything else to ``operands``.
  /// - Parameters:
  ///   - exercise: the operands, by group.
  ///   - asked: those that the problem has. Whatever else a file holds was not validated, and is left out.
  public init(_ exercise: Exercise, _ asked: Operands) {
    self.init(operands: [:])
    let groups = [
      (exercise.inputs, asked.inputs), (exercise.parameters, asked.parameters), (exercise.buffers, asked.buffers),
    ]
    for (tensors, types) in groups {
      for name in types.keys {
        guard let tensor = tensors[name] else { continue }
        operands[name] = tensor.floating(as: Scalar.self)
        integers[name] = tensor.integers
      }
    }
    if exercise.passes.contains(.backward) {
      upstream = exercise.upstream.compactMapValues { $0.floating(as: Scalar.self) }
    }
    wantsOutputs = exercise.passes.contains(.forward)
    let gradients = exercise.wanted.filter { $0.hasPrefix("gradients/") }.map { String($0.dropFirst(10)) }
    wantedGradients = exercise.wanted.isEmpty ? nil : Set(gradients)
    threads = exercise.threads
  }
}
