import Problems
import Tensors

/// What differs between the tensors that a network has and those that it was given.
public struct StateDictMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  /// Names that the network has and the tensors lack.
  public var missing: [String] = []
  /// Names that the tensors have and the network lacks.
  public var unexpected: [String] = []
  /// Names with the shape expected and the shape found.
  public var misshapen: [String] = []

  public var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && misshapen.isEmpty }

  public var description: String {
    func list(_ title: String, _ names: [String]) -> String? {
      guard !names.isEmpty else { return nil }
      let rest = names.count > 6 ? " and \(names.count - 6) more" : ""
      return "\(title): \(names.prefix(6).joined(separator: ", "))\(rest)"
    }
    return "the weights do not fit the network; "
      + [list("missing", missing), list("unexpected", unexpected), list("other shape", misshapen)]
      .compactMap { $0 }.joined(separator: "; ")
  }
}

extension StateDictMismatch {
  fileprivate static var counter: String { ".num_batches_tracked" }

  /// What of these tensors does not agree with a network. `num_batches_tracked` may be absent, as in old files, and may have
  /// any shape of one element.
  public init(_ tensors: [String: AnyTensor], for plan: NetworkPlan) {
    let expected = plan.stateNames
    for entry in expected {
      let isCounter = entry.name.hasSuffix(Self.counter)
      if let tensor = tensors[entry.name] {
        guard tensor.shape != entry.shape, !(isCounter && tensor.shape.count == 1) else { continue }
        misshapen.append("\(entry.name) \(tensor.shape) for \(entry.shape)")
      } else if !isCounter {
        missing.append(entry.name)
      }
    }
    let known = Set(expected.map(\.name))
    unexpected = tensors.keys.filter { !known.contains($0) }.sorted()
  }
}

extension NetworkState {
  private static var counter: String { StateDictMismatch.counter }

  /// Takes tensors by their `state_dict` name into a network that has values already.
  ///
  /// - Parameters:
  ///   - tensors: by their `state_dict` name.
  ///   - plan: the network's layers.
  ///   - strict: every name and shape must agree. Otherwise what agrees is taken, and the rest keeps its values: how a
  ///     network gets a new classifier for fine-tuning. `num_batches_tracked` may always be absent, as in old files.
  /// - Returns: what did not agree.
  /// - Throws: ``StateDictMismatch`` when `strict` and something differs; nothing is changed then.
  @discardableResult
  public mutating func load(
    _ tensors: [String: AnyTensor], into plan: NetworkPlan, strict: Bool = true
  ) throws(StateDictMismatch) -> StateDictMismatch {
    let mismatch = StateDictMismatch(tensors, for: plan)
    if strict, !mismatch.isEmpty { throw mismatch }
    for entry in plan.stateNames {
      guard let tensor = tensors[entry.name] else { continue }
      let isCounter = entry.name.hasSuffix(Self.counter)
      if tensor.shape == entry.shape || isCounter && tensor.shape.count == 1 { set(entry.name, tensor) }
    }
    return mismatch
  }

  private mutating func set(_ name: String, _ tensor: AnyTensor) {
    let owner = String(name.prefix(upTo: name.lastIndex(of: ".") ?? name.endIndex))
    if name.hasSuffix(Self.counter) {
      buffers[owner]?.batchesTracked = tensor.integers?.elements.first
    } else if name.hasSuffix(".running_mean") {
      if let values = tensor.floating(as: Scalar.self) { buffers[owner]?.runningMean = values }
    } else if name.hasSuffix(".running_var") {
      if let values = tensor.floating(as: Scalar.self) { buffers[owner]?.runningVariance = values }
    } else if let values = tensor.floating(as: Scalar.self) {
      parameters[name] = values
    }
  }

  /// Every tensor under its `state_dict` name.
  public func stateDict(_ wrap: (Tensor<Scalar>) -> AnyTensor) -> [String: AnyTensor] {
    var tensors = parameters.mapValues(wrap)
    for (name, values) in buffers {
      tensors["\(name).running_mean"] = wrap(values.runningMean)
      tensors["\(name).running_var"] = wrap(values.runningVariance)
      if let count = values.batchesTracked {
        tensors[name + Self.counter] = .int64(Tensor(shape: [], elements: [count]))
      }
    }
    return tensors
  }
}
