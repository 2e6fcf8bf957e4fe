import Problems
import Tensors

/// What an engine is asked to compute: a golden case without its answers.
public struct Exercise: Sendable {
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

  /// The validated problem; `nil` for a custom operation.
  /// - Throws: `ProblemError`.
  public func problem() throws(ProblemError) -> (any OperationProblem)? {
    try Problem.make(operation: operation, attributes: attributes, operands: operands)
  }
}

/// What an engine computed.
public struct Answer: Sendable {
  public var outputs: [String: AnyTensor]
  public var gradients: [String: AnyTensor]
  public var buffersAfter: [String: AnyTensor]

  public init(
    outputs: [String: AnyTensor] = [:], gradients: [String: AnyTensor] = [:], buffersAfter: [String: AnyTensor] = [:]
  ) {
    self.outputs = outputs
    self.gradients = gradients
    self.buffersAfter = buffersAfter
  }

  /// The tensor of a path such as `outputs/y`.
  public subscript(path: String) -> AnyTensor? {
    let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return nil }
    return switch TensorGroup(rawValue: parts[0]) {
    case .outputs: outputs[parts[1]]
    case .gradients: gradients[parts[1]]
    case .buffersAfter: buffersAfter[parts[1]]
    default: nil
    }
  }
}

/// The NaN that output buffers are filled with before an engine writes them. One that survives was not written.
///
/// Quiet, with a payload that no arithmetic produces: hardware makes 0x7FC00000 or passes on an operand's payload.
public enum UnwrittenMark {
  public static let float32 = Float(bitPattern: 0x7FC5_A5A5)
  public static let float64 = Double(bitPattern: 0x7FFC_5A5A_5A5A_5A5A)

  /// Positions that still hold the mark, bit for bit.
  public static func positions(in tensor: AnyTensor) -> [Int] {
    switch tensor {
    case .float32(let tensor): tensor.elements.indices.filter { tensor.elements[$0].bitPattern == float32.bitPattern }
    case .float64(let tensor): tensor.elements.indices.filter { tensor.elements[$0].bitPattern == float64.bitPattern }
    case .int64: []
    }
  }
}
