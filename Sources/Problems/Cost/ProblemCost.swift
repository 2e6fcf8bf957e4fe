import Tensors

/// What checking one problem takes, counted from its shapes before anything is allocated.
public struct ProblemCost: Hashable, Sendable {
  /// Bytes that are held at once.
  public var bytes: SaturatingCount
  /// Steps of one forward pass: multiply-accumulates, or elements looked at where there are none.
  public var work: SaturatingCount

  public init(bytes: SaturatingCount, work: SaturatingCount) {
    self.bytes = bytes
    self.work = work
  }

  /// Copies of each operand: as stored, in the candidate's precision, its gradient, and the sizes that bounds are made of.
  static let operandCopies: SaturatingCount = 4
  /// Copies of each output: expected, computed, its cotangent, its bound, what that is made of, and what judging the case
  /// changes to see whether it would be noticed. Measured (METHODOLOGY.md, "Limits").
  static let outputCopies: SaturatingCount = 12
  /// Everything counts in the widest precision.
  static let bytesPerElement: SaturatingCount = 8

  /// - Parameter scratch: elements that the computation holds beside operands and outputs.
  init(
    operandElements: SaturatingCount, outputElements: SaturatingCount, scratch: SaturatingCount, work: SaturatingCount
  ) {
    bytes =
      Self.bytesPerElement * (Self.operandCopies * operandElements + Self.outputCopies * outputElements + scratch)
    self.work = work
  }
}

extension OperationProblem {
  /// What checking it takes.
  public var cost: ProblemCost {
    ProblemCost(
      operandElements: operands.elements, outputElements: outputs.values.map(\.shape.elements).total(),
      scratch: scratchElements, work: work)
  }
}

extension Operands {
  /// What holding them takes, where no more is known of an operation than what it is applied to.
  public var cost: ProblemCost {
    ProblemCost(operandElements: elements, outputElements: 0, scratch: 0, work: 0)
  }

  /// Elements of all tensors.
  var elements: SaturatingCount {
    [inputs, parameters, buffers].flatMap(\.values).map(\.shape.elements).total()
  }
}
