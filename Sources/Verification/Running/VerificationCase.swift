import GoldenFiles
import Problems
import Tensors

/// A case with the file it came from.
public struct VerificationCase: Sendable {
  public let file: String
  public let oracle: DType
  public let golden: GoldenCase
  /// Whether it is a part of the problem that the engine was asked, which may have been computed by an algorithm for larger ones.
  public let isPart: Bool

  /// - Parameters:
  ///   - file: its path, or what stands for one.
  ///   - oracle: the precision that expected values come from.
  ///   - golden: the case.
  ///   - isPart: whether it is a part of what the engine was asked.
  public init(file: String, oracle: DType, golden: GoldenCase, isPart: Bool = false) {
    self.file = file
    self.oracle = oracle
    self.golden = golden
    self.isPart = isPart
  }

  /// A case of a custom operation must say how it is compared.
  /// - Returns: one sentence naming the dataset that does not.
  var missingTolerance: String? {
    guard golden.expectError == nil, golden.isCustom else { return nil }
    let paths = golden.expected.filter { $0.value.tolerance.isEmpty && !$0.value.isInteger }.keys.sorted()
    guard let path = paths.first else { return nil }
    return
      "\(file): \(golden.name)/\(path): expected atol, rtol or max_ulp, since '\(golden.operation)' is a custom operation, "
      + "found none"
  }

  /// Whether any operand or expected value is NaN or infinite.
  var hasNonfinite: Bool {
    let operands = [golden.inputs, golden.parameters, golden.buffers, golden.upstream].flatMap(\.values)
    if operands.contains(where: { $0.hasNonfinite }) { return true }
    return golden.expected.values.contains { expected in
      switch expected.value {
      case .whole(let tensor): tensor.hasNonfinite
      case .sampled(let sample): sample.values.contains { !$0.isFinite } || !sample.l2Norm.isFinite
      }
    }
  }
}

extension AnyTensor {
  var hasNonfinite: Bool {
    switch self {
    case .float32(let tensor): tensor.elements.contains { !$0.isFinite }
    case .float64(let tensor): tensor.elements.contains { !$0.isFinite }
    case .packed(let tensor): tensor.doubles.elements.contains { !$0.isFinite }
    case .int64: false
    }
  }
  var hasDenormals: Bool {
    switch self {
    case .float32(let tensor): tensor.elements.contains(where: \.isSubnormal)
    case .float64(let tensor): tensor.elements.contains(where: \.isSubnormal)
    case .packed(let tensor):
      tensor.doubles.elements.contains { $0 != 0 && $0.magnitude < (tensor.dtype.format?.leastNormal ?? 0) }
    case .int64: false
    }
  }
}
