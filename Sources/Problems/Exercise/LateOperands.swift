import Tensors

/// The operands that an engine is given only after it prepared to be timed: fresh numbers for one set of buffers.
public struct LateOperands: Sendable, Equatable {
  public var inputs: [String: AnyTensor]
  /// Cotangents by output name.
  public var upstream: [String: AnyTensor]

  public init(inputs: [String: AnyTensor], upstream: [String: AnyTensor] = [:]) {
    self.inputs = inputs
    self.upstream = upstream
  }
}

extension Exercise {
  public var late: LateOperands { LateOperands(inputs: inputs, upstream: upstream) }

  /// The same exercise on other inputs and cotangents.
  public func with(_ late: LateOperands) -> Exercise {
    var changed = self
    changed.inputs = late.inputs
    changed.upstream = late.upstream
    return changed
  }
}

extension AnyTensor {
  /// Zeros of a type and shape.
  public init(zeros type: TensorType) {
    switch type.dtype {
    case .float32: self = .float32(Tensor(shape: type.shape, repeating: 0))
    case .float64: self = .float64(Tensor(shape: type.shape, repeating: 0))
    case .int64: self = .int64(Tensor(shape: type.shape, repeating: 0))
    case .float16, .bfloat16:
      self = .packed(PackedTensor(type.dtype, patterns: Tensor(shape: type.shape, repeating: 0)))
    }
  }
}
