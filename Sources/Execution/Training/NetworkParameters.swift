import Convolution
import Problems
import Tensors

/// What training changes: a network's parameters with their gradients, and its running statistics, by `state_dict` name.
///
/// Networks prepared for several sizes of batch may share one. Not for two threads at once.
public final class NetworkParameters {
  struct Parameter {
    let shape: Shape
    let values: AlignedBuffer
    let gradient: AlignedBuffer
  }

  private(set) var parameters: [String: Parameter] = [:]
  /// Of batch norms; float32, as PyTorch keeps them.
  var statistics: [String: Tensor<Float>] = [:]
  /// Batches that a batch norm has seen, where somebody counts them.
  var counters: [String: Tensor<Int64>] = [:]
  /// Goes up whenever values change, so that whoever keeps packed copies knows.
  private(set) var revision = 0

  public init() {}

  /// Takes in a parameter that it does not have yet.
  /// - Throws: ``ExecutionError``.
  func adopt(_ name: String, _ values: Tensor<Float>) throws(ExecutionError) {
    parameters[name] = try translating { () throws(ConvolutionError) in
      let buffer = try AlignedBuffer(zeros: values.count, name: name)
      _ = buffer.buffer.update(fromContentsOf: values.elements)
      return Parameter(
        shape: values.shape, values: buffer,
        gradient: try AlignedBuffer(zeros: values.count, name: "\(name)'s gradient"))
    }
  }

  func parameter(_ name: String) throws(ExecutionError) -> Parameter {
    guard let found = parameters[name] else {
      throw .weight(name: name, expected: "one of the network's parameters", found: "none of that name")
    }
    return found
  }

  /// Takes in other values of everything it has.
  /// - Parameter tensors: by `state_dict` name; what it does not know is ignored.
  /// - Throws: ``ExecutionError/weight(name:expected:found:)`` where one is missing or of another shape.
  public func load(_ tensors: [String: AnyTensor]) throws(ExecutionError) {
    let weights = StateDict(tensors: tensors)
    for (name, parameter) in parameters {
      let values = try weights.tensor(name, parameter.shape)
      _ = parameter.values.buffer.update(fromContentsOf: values.elements)
    }
    for (name, statistic) in statistics { statistics[name] = try weights.tensor(name, statistic.shape) }
    for name in counters.keys { counters[name] = tensors[name]?.integers ?? counters[name] }
    noteChange()
  }

  /// What a network reads after values were changed.
  func noteChange() { revision += 1 }

  /// The names of all parameters, sorted.
  public var names: [String] { parameters.keys.sorted() }

  /// A parameter's gradient as the last backward pass left it.
  /// - Throws: ``ExecutionError/weight(name:expected:found:)`` for another name.
  public func gradient(of name: String) throws(ExecutionError) -> Tensor<Float> {
    let found = try parameter(name)
    return Tensor(shape: found.shape, elements: Array(found.gradient.buffer))
  }

  /// Everything by its `state_dict` name.
  public var stateDict: [String: AnyTensor] {
    var tensors: [String: AnyTensor] = [:]
    for (name, parameter) in parameters {
      tensors[name] = .float32(Tensor(shape: parameter.shape, elements: Array(parameter.values.buffer)))
    }
    for (name, tensor) in statistics { tensors[name] = .float32(tensor) }
    for (name, counter) in counters { tensors[name] = .int64(counter) }
    return tensors
  }

  /// Bytes of values and gradients.
  public var bytes: Int { parameters.values.reduce(0) { $0 + $1.values.bytes + $1.gradient.bytes } }
}
