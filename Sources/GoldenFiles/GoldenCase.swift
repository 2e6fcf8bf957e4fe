import Operations
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
  /// What an engine is asked: the operation with its attributes (and any others whose type can be read), its operands and
  /// cotangents, all as they are stored.
  public var exercise: Exercise
  public var fill: Fill
  public var tags: [String]
  /// The category in which the case must be refused.
  public var expectError: ProblemError.Category?
  public var outputs: [String: ExpectedTensor]
  public var buffersAfter: [String: ExpectedTensor]
  /// By the name of the input or parameter.
  public var gradients: [String: ExpectedTensor]
  /// Outputs of the oracle in float32, by name, where the file tells how far the two precisions drift apart.
  public var referenceFloat32: [String: AnyTensor] = [:]

  /// - Parameters:
  ///   - exercise: what is asked.
  ///   - fill: how its operands were drawn, which decides what is allowed.
  ///   - tags: what the case can be chosen by.
  ///   - expected: the answer that is right, to which every tensor is compared whole.
  ///   - expectError: the refusal that is right, of a case that must be refused.
  public init(
    _ exercise: Exercise, fill: Fill = .adversarial, tags: [String] = [], expected: Answer = Answer(),
    expectError: ProblemError.Category? = nil
  ) {
    self.exercise = exercise
    self.fill = fill
    self.tags = tags
    self.expectError = expectError
    outputs = expected.outputs.mapValues { ExpectedTensor($0) }
    buffersAfter = expected.buffersAfter.mapValues { ExpectedTensor($0) }
    gradients = expected.gradients.mapValues { ExpectedTensor($0) }
  }

  public init(
    summary: GoldenCaseSummary, attributes: Attributes = Attributes(), inputs: [String: AnyTensor] = [:],
    parameters: [String: AnyTensor] = [:], buffers: [String: AnyTensor] = [:], upstream: [String: AnyTensor] = [:],
    outputs: [String: ExpectedTensor] = [:], buffersAfter: [String: ExpectedTensor] = [:],
    gradients: [String: ExpectedTensor] = [:]
  ) {
    self.init(
      Exercise(
        name: summary.name, operation: summary.operation, attributes: attributes, inputs: inputs,
        parameters: parameters, buffers: buffers, upstream: upstream),
      fill: summary.fill, tags: summary.tags, expectError: summary.expectError)
    self.outputs = outputs
    self.buffersAfter = buffersAfter
    self.gradients = gradients
  }

  /// As a list shows it.
  public var summary: GoldenCaseSummary {
    get {
      GoldenCaseSummary(name: name, operation: operation, fill: fill, tags: tags, expectError: expectError)
    }
    set {
      (exercise.name, exercise.operation) = (newValue.name, newValue.operation)
      (fill, tags, expectError) = (newValue.fill, newValue.tags, newValue.expectError)
    }
  }

  public var name: String { exercise.name }
  public var operation: String { exercise.operation }
  public var attributes: Attributes {
    get { exercise.attributes }
    set { exercise.attributes = newValue }
  }
  public var inputs: [String: AnyTensor] {
    get { exercise.inputs }
    set { exercise.inputs = newValue }
  }
  public var parameters: [String: AnyTensor] {
    get { exercise.parameters }
    set { exercise.parameters = newValue }
  }
  public var buffers: [String: AnyTensor] {
    get { exercise.buffers }
    set { exercise.buffers = newValue }
  }
  /// Cotangents dL/dy by output name.
  public var upstream: [String: AnyTensor] {
    get { exercise.upstream }
    set { exercise.upstream = newValue }
  }
  /// The types of everything that the operation is applied to.
  public var operands: Operands { exercise.operands }
  /// An operation that the format does not define: checked against what the file says, with the file's tolerances.
  public var isCustom: Bool { !OperationRegistry.names.contains(operation) }

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
}
