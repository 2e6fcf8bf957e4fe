import Problems
import Tensors

/// A case as a list shows it: what is known before any tensor is read.
public struct GoldenCaseSummary: Sendable, Hashable {
  /// The case's path in its file, such as `/conv2d/stride2/odd_input`.
  public let name: String
  public let operation: String
  public let fill: Fill
  public let tags: [String]
  /// The category in which the case must be refused.
  public let expectError: ProblemError.Category?

  public init(
    name: String, operation: String, fill: Fill = .adversarial, tags: [String] = [],
    expectError: ProblemError.Category? = nil
  ) {
    self.name = name
    self.operation = operation
    self.fill = fill
    self.tags = tags
    self.expectError = expectError
  }
}

/// One case of a golden file with all its tensors: procedural ones computed, everything checked for sense.
public struct GoldenCase: Sendable, Equatable {
  public var summary: GoldenCaseSummary
  /// The attributes of the operation, and any others whose type can be read.
  public var attributes: Attributes
  public var inputs: [String: AnyTensor]
  public var parameters: [String: AnyTensor]
  public var buffers: [String: AnyTensor]
  /// Cotangents dL/dy by output name.
  public var upstream: [String: AnyTensor]
  public var outputs: [String: ExpectedTensor]
  public var buffersAfter: [String: ExpectedTensor]
  /// By the name of the input or parameter.
  public var gradients: [String: ExpectedTensor]
  /// Outputs of the oracle in float32, by name, where the file tells how far the two precisions drift apart.
  public var referenceFloat32: [String: AnyTensor] = [:]

  public init(
    summary: GoldenCaseSummary, attributes: Attributes = Attributes(), inputs: [String: AnyTensor] = [:],
    parameters: [String: AnyTensor] = [:], buffers: [String: AnyTensor] = [:], upstream: [String: AnyTensor] = [:],
    outputs: [String: ExpectedTensor] = [:], buffersAfter: [String: ExpectedTensor] = [:],
    gradients: [String: ExpectedTensor] = [:]
  ) {
    self.summary = summary
    self.attributes = attributes
    self.inputs = inputs
    self.parameters = parameters
    self.buffers = buffers
    self.upstream = upstream
    self.outputs = outputs
    self.buffersAfter = buffersAfter
    self.gradients = gradients
  }

  public var name: String { summary.name }
  public var operation: String { summary.operation }
  public var fill: Fill { summary.fill }
  public var tags: [String] { summary.tags }
  public var expectError: ProblemError.Category? { summary.expectError }
  /// An operation that the format does not define: checked against what the file says, with the file's tolerances.
  public var isCustom: Bool { !GoldenSchema.operations.contains(operation) }

  /// Everything expected, by path: `outputs/y`, `gradients/weight`, `buffers_after/running_mean`.
  public var expected: [String: ExpectedTensor] {
    var all: [String: ExpectedTensor] = [:]
    for (group, tensors) in [
      (TensorGroup.outputs, outputs), (.buffersAfter, buffersAfter), (.gradients, gradients),
    ] {
      for (name, tensor) in tensors { all["\(group.rawValue)/\(name)"] = tensor }
    }
    return all
  }

  /// The types of everything that the operation is applied to.
  public var operands: Operands {
    Operands(
      inputs: inputs.mapValues { TensorType($0.shape, $0.dtype) },
      parameters: parameters.mapValues { TensorType($0.shape, $0.dtype) },
      buffers: buffers.mapValues { TensorType($0.shape, $0.dtype) })
  }
}
