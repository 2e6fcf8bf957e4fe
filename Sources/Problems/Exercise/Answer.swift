import Tensors

/// What an engine computed.
public struct Answer: Sendable, Equatable {
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
    get { Self.place(of: path).flatMap { self[keyPath: $0.group][$0.name] } }
    set {
      guard let place = Self.place(of: path) else { preconditionFailure("\(path) is no path of an answer") }
      self[keyPath: place.group][place.name] = newValue
    }
  }

  private static func place(
    of path: String
  ) -> (group: WritableKeyPath<Answer, [String: AnyTensor]>, name: String)? {
    let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return nil }
    return switch TensorGroup(rawValue: parts[0]) {
    case .outputs: (\.outputs, parts[1])
    case .gradients: (\.gradients, parts[1])
    case .buffersAfter: (\.buffersAfter, parts[1])
    default: nil
    }
  }

  /// Everything in it, by path, in order.
  public var paths: [String] {
    (outputs.keys.map { "outputs/\($0)" } + gradients.keys.map { "gradients/\($0)" }
      + buffersAfter.keys.map { "buffers_after/\($0)" }).sorted()
  }
}
