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
  /// Operands and outputs that stay float32 where ``dtype`` has 16 bits.
  public var singles: Set<String> = []

  /// The name under which engines are asked: what a golden case is called could tell them what is expected.
  public static let neutralName = "/case"

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
    func converted(_ tensors: [String: AnyTensor]) -> [String: AnyTensor] {
      guard dtype.isNarrow else { return tensors.mapValues { $0.converted(to: dtype) } }
      return tensors.reduce(into: [:]) { all, tensor in
        all[tensor.key] = tensor.value.converted(to: singles.contains(tensor.key) ? .float32 : dtype)
      }
    }
    var changed = self
    changed.dtype = dtype
    changed.inputs = converted(inputs)
    changed.parameters = converted(parameters)
    changed.buffers = converted(buffers)
    changed.upstream = converted(upstream)
    return changed
  }

  /// The type that the tensor of a path such as `outputs/y` or `gradients/weight` is wanted in.
  public func wantedType(of path: String) -> DType {
    guard dtype.isNarrow, let name = path.split(separator: "/", maxSplits: 1).last else { return dtype }
    return singles.contains(String(name)) || path.hasPrefix("buffers_after/") ? .float32 : dtype
  }
}
