import Tensors

/// What an engine is asked to compute: a golden case without its answers.
public struct Exercise: Sendable, Equatable {
  /// The case's path, or the problem's text form.
  public var name: String
  public var operation: String
  public var attributes: Attributes
  public var inputs: [String: AnyTensor]
  public var parameters: [String: AnyTensor]
  public var buffers: [String: AnyTensor]
  /// Cotangents by output name; empty when no backward pass is asked for.
  public var upstream: [String: AnyTensor]
  /// The type that floats are given and wanted in.
  public var dtype: DType
  public var passes: Set<Pass>
  /// What is wanted, as `outputs/y`, `gradients/weight`, `buffers_after/running_mean`. More is ignored.
  public var wanted: Set<String>
  public var threads: Int

  public init(
    name: String, operation: String, attributes: Attributes = Attributes(), inputs: [String: AnyTensor],
    parameters: [String: AnyTensor] = [:], buffers: [String: AnyTensor] = [:], upstream: [String: AnyTensor] = [:],
    dtype: DType = .float32, passes: Set<Pass> = [.forward], wanted: Set<String> = [], threads: Int = 1
  ) {
    self.name = name
    self.operation = operation
    self.attributes = attributes
    self.inputs = inputs
    self.parameters = parameters
    self.buffers = buffers
    self.upstream = upstream
    self.dtype = dtype
    self.passes = passes
    self.wanted = wanted
    self.threads = threads
  }

  public var operands: Operands {
    Operands(
      inputs: inputs.mapValues { TensorType($0.shape, $0.dtype) },
      parameters: parameters.mapValues { TensorType($0.shape, $0.dtype) },
      buffers: buffers.mapValues { TensorType($0.shape, $0.dtype) })
  }

  /// The same exercise in another precision.
  public func converted(to dtype: DType) -> Exercise {
    var changed = self
    changed.dtype = dtype
    changed.inputs = inputs.mapValues { $0.converted(to: dtype) }
    changed.parameters = parameters.mapValues { $0.converted(to: dtype) }
    changed.buffers = buffers.mapValues { $0.converted(to: dtype) }
    changed.upstream = upstream.mapValues { $0.converted(to: dtype) }
    return changed
  }
}
