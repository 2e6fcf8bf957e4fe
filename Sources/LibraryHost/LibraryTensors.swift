import Operations
import Problems
import Tensors

/// Which tensors the calls for one exercise have.
struct LibraryTensors {
  /// Inputs, parameters and buffers.
  let operands: [Subject]
  let cotangents: [Subject]
  /// What the forward pass writes, and what the backward pass does.
  let outputs: [Subject]
  let gradients: [Subject]

  /// - Throws: ``Problems/EngineError/unsupported(_:)`` where an output is wanted whose shape nothing tells.
  init(_ exercise: Exercise, outputTypes: [String: TensorType], differentiable: [String]) throws(EngineError) {
    func subjects(_ group: TensorGroup, _ tensors: [String: AnyTensor]) -> [Subject] {
      tensors.sorted { $0.key < $1.key }.map {
        Subject(group: group, name: $0.key, type: TensorType($0.value.shape, $0.value.dtype))
      }
    }
    operands =
      subjects(.inputs, exercise.inputs) + subjects(.parameters, exercise.parameters)
      + subjects(.buffers, exercise.buffers)
    cotangents = subjects(.upstream, exercise.upstream)
    var wanted = exercise.wanted
    if wanted.isEmpty {
      wanted = Set(outputTypes.keys.map { "outputs/\($0)" } + differentiable.map { "gradients/\($0)" })
    }
    let known = operands
    func result(_ path: String) throws(EngineError) -> Subject? {
      let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
      guard parts.count == 2, let group = TensorGroup(rawValue: parts[0]) else { return nil }
      let type: TensorType? =
        switch group {
        case .outputs:
          outputTypes[parts[1]].map { $0.dtype == .int64 ? $0 : TensorType($0.shape, exercise.wantedType(of: path)) }
        case .gradients: known.first { $0.group != .buffers && $0.name == parts[1] }?.type
        case .buffersAfter: known.first { $0.group == .buffers && $0.name == parts[1] }?.type
        default: nil
        }
      guard let type else { throw .unsupported("nothing tells the shape of \(path)") }
      return Subject(group: group, name: parts[1], type: type)
    }
    var (outputs, gradients): ([Subject], [Subject]) = ([], [])
    for path in wanted.sorted() {
      guard let subject = try result(path) else { continue }
      if subject.group == .gradients { gradients.append(subject) } else { outputs.append(subject) }
    }
    self.outputs = exercise.passes.contains(.forward) ? outputs : []
    self.gradients = exercise.passes.contains(.backward) ? gradients : []
  }
}

extension Exercise {
  /// A stimulus by its place.
  func tensor(_ subject: Subject) -> AnyTensor? {
    switch subject.group {
    case .inputs: inputs[subject.name]
    case .parameters: parameters[subject.name]
    case .buffers: buffers[subject.name]
    case .upstream: upstream[subject.name]
    default: nil
    }
  }
}

extension Answer {
  /// Puts a result in its place.
  mutating func insert(_ tensor: AnyTensor, _ subject: Subject) {
    switch subject.group {
    case .outputs: outputs[subject.name] = tensor
    case .gradients: gradients[subject.name] = tensor
    case .buffersAfter: buffersAfter[subject.name] = tensor
    default: break
    }
  }
}
