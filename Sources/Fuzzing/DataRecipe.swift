import GoldenFiles
import Operations
import Problems
import Tensors

/// What a case's operands are made of, in few words: `random@123`, or `exact@7,x=ones,upstream/y=zeros`.
public struct DataRecipe: Hashable, Sendable {
  /// What takes the place of a tensor's drawn values.
  public enum Constant: String, Hashable, Sendable, CaseIterable {
    case zeros, ones

    var value: Double { self == .ones ? 1 : 0 }
  }

  public var kind: OperandKind
  public var seed: UInt64
  /// By operand, `upstream/…` for cotangents and `*` for all: tensors that are of one value.
  public var constants: [String: Constant] = [:]

  /// Stands for every tensor of floats.
  static let all = "*"

  public init(kind: OperandKind, seed: UInt64) {
    self.kind = kind
    self.seed = seed
  }

  /// Which bound holds of a problem's results: what holds of independent values does not of constants, and integers are exact where
  /// the operation is.
  public func fill(of problem: any OperationProblem) -> Fill {
    switch kind.fill {
    case .exact: problem.definition.linearity.isExactOnIntegers ? .exact : .adversarial
    case .random: constants.isEmpty ? .random : .adversarial
    case .adversarial: .adversarial
    }
  }

  /// The operands of a problem, forward and backward.
  public func exercise(of problem: any OperationProblem) -> Exercise {
    let definition = problem.definition
    var exercise =
      (kind.pattern.map {
        RandomExercise(problem: problem, roles: definition.roles, pattern: $0, seed: seed)
      }
      ?? RandomExercise(
        problem: problem, roles: definition.roles, fill: kind.fill, seed: seed, range: kind.range, values: kind.values
      )).exercise
    if kind == .nonfinite { Self.addSpecialValues(to: &exercise, seed: seed) }
    for (name, constant) in constants {
      for path in name == Self.all ? exercise.floatingTensors : [name] {
        exercise.edit(path) { $0 = $0.map { _ in constant.value } }
      }
    }
    return exercise
  }

  /// In each input, at up to three places.
  private static func addSpecialValues(to exercise: inout Exercise, seed: UInt64) {
    var stream = SplitMix64(seed: SplitMix64.mix(seed))
    for name in exercise.inputs.keys.sorted() {
      exercise.inputs.edit(name) { tensor in
        for _ in 0..<min(3, tensor.count) {
          tensor.elements[stream.below(tensor.count)] = [.nan, .infinity, -.infinity, -0.0][stream.below(4)]
        }
      }
    }
  }
}

extension DataRecipe: CustomStringConvertible {
  public var description: String {
    (["\(kind.rawValue)@\(seed)"] + constants.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.rawValue)" })
      .joined(separator: ",")
  }

  /// - Returns: `nil` for what is not written like a ``description``.
  public init?(_ text: String) {
    let words = text.split(separator: ",").map(String.init)
    let head = (words.first ?? "").split(separator: "@").map(String.init)
    guard head.count == 2, let kind = OperandKind(rawValue: head[0]), let seed = UInt64(head[1]) else { return nil }
    self.init(kind: kind, seed: seed)
    for word in words.dropFirst() {
      let parts = word.split(separator: "=").map(String.init)
      guard parts.count == 2, let constant = Constant(rawValue: parts[1]) else { return nil }
      constants[parts[0]] = constant
    }
  }
}

extension Exercise {
  /// Every tensor of floats: operands by name, and cotangents as `upstream/…`.
  var floatingTensors: [String] {
    let operands = [inputs, parameters, buffers].flatMap { $0 }.filter { $0.value.dtype != .int64 }.map(\.key)
    return operands.sorted() + upstream.keys.sorted().map { "upstream/\($0)" }
  }

  /// Changes one tensor: an operand by its name, or a cotangent by `upstream/…`.
  mutating func edit(_ name: String, _ change: (inout Tensor<Double>) -> Void) {
    if name.hasPrefix("upstream/") { return upstream.edit(String(name.dropFirst("upstream/".count)), change) }
    inputs.edit(name, change)
    parameters.edit(name, change)
    buffers.edit(name, change)
  }
}
