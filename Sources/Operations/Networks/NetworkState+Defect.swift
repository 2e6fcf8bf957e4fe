import Tensors

extension NetworkState {
  /// A value that no correct network holds: what it computes from it means nothing.
  public struct Defect: Error, Hashable, Sendable, CustomStringConvertible {
    /// The tensor's `state_dict` name.
    public let name: String
    /// Its element, row-major.
    public let index: Int
    public let expected: String
    public let found: String

    public var description: String { "\(name)[\(index)]: expected \(expected), found \(found)" }
  }

  /// The first value, by name, that is NaN or infinite, or a variance below 0; `nil` when there is none.
  public var defect: Defect? {
    func first(_ name: String, _ tensor: Tensor<Scalar>, _ expected: String, _ isBad: (Scalar) -> Bool) -> Defect? {
      tensor.elements.firstIndex(where: isBad).map {
        Defect(name: name, index: $0, expected: expected, found: tensor.elements[$0].spelled)
      }
    }
    for (name, tensor) in parameters.sorted(by: { $0.key < $1.key }) where !Self.isKnownToBeFinite(tensor) {
      if let defect = first(name, tensor, "a finite number", { !$0.isFinite }) { return defect }
    }
    for (name, statistics) in buffers.sorted(by: { $0.key < $1.key }) {
      if let defect = first("\(name).running_mean", statistics.runningMean, "a finite number", { !$0.isFinite })
        ?? first(
          "\(name).running_var", statistics.runningVariance, "a finite number from 0", { !($0.isFinite && $0 >= 0) })
      {
        return defect
      }
    }
    return nil
  }

  /// In loops of the types that files hold: a generic one takes a second for ResNet-50.
  private static func isKnownToBeFinite(_ tensor: Tensor<Scalar>) -> Bool {
    switch tensor {
    case let tensor as Tensor<Float>: tensor.elements.allSatisfy { $0.isFinite }
    case let tensor as Tensor<Double>: tensor.elements.allSatisfy { $0.isFinite }
    default: false
    }
  }
}

extension RealScalar {
  /// As people write it: a NaN's sign means nothing.
  var spelled: String { doubleValue.isNaN ? "NaN" : "\(self)" }
}
