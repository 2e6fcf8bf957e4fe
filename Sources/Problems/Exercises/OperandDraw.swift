import Tensors

/// Random operands of a problem by what each means, representable in float32. A seed always gives the same ones.
public struct OperandDraw: Sendable {
  public var operands: [String: Tensor<Double>] = [:]
  public var integers: [String: Tensor<Int64>] = [:]

  /// - Parameters:
  ///   - types: the problem's operands.
  ///   - roles: what they mean; every name of `types` is there.
  ///   - seed: of the one stream that all are drawn from.
  ///   - range: of inputs.
  ///   - fill: what they are drawn as.
  public init(
    _ types: Operands, roles: [String: OperandRole], seed: UInt64, range: Range, fill: GradientCase.Fill = .random
  ) {
    self.init(types, roles: roles, seed: seed) { shape, role, isInput, stream in
      Self.floats(shape, role, isInput ? range : .unit, isInput ? fill : .random, &stream)
    }
  }

  /// Operands of a pattern, in place of independent values.
  /// - Parameters:
  ///   - problem: what they are for.
  ///   - roles: what they mean; every operand's name is there.
  ///   - seed: of the one stream that all are drawn from.
  ///   - pattern: what uniform numbers become, where a role leaves it open.
  public init(
    _ problem: any OperationProblem, roles: [String: OperandRole], seed: UInt64, pattern: OperandPattern
  ) {
    let terms = problem.longestSum
    self.init(problem.operands, roles: roles, seed: seed) { shape, role, isInput, stream in
      guard OperandPattern.applies(to: role) else { return Self.floats(shape, role, .unit, .random, &stream) }
      return pattern.values(Self.uniform(shape, -1, 1, &stream), of: isInput ? .input : .parameter, terms: terms)
    }
  }

  private init(
    _ types: Operands, roles: [String: OperandRole], seed: UInt64,
    floats: (_ shape: Shape, _ role: OperandRole, _ isInput: Bool, inout SplitMix64) -> Tensor<Double>
  ) {
    var stream = SplitMix64(seed: seed)
    for (name, type) in types.all.sorted(by: { $0.key < $1.key }) {
      let role = roles[name] ?? .values
      if type.dtype == .int64 {
        integers[name] = Self.integers(type.shape, role, &stream)
      } else {
        operands[name] = floats(type.shape, role, types.inputs[name] != nil, &stream)
      }
    }
  }

  /// Where the values of inputs lie.
  public struct Range: Hashable, Sendable {
    public var low: Double
    public var high: Double

    public init(_ low: Double, _ high: Double) {
      self.low = low
      self.high = high
    }

    public static let unit = Range(-1, 1)
  }

  private static func uniform(
    _ shape: Shape, _ low: Double, _ high: Double, _ stream: inout SplitMix64
  ) -> Tensor<Double> {
    Tensor<Float>(splitMix64Uniform: shape, seed: stream.next(), low: low, high: high).map { Double($0) }
  }

  private static func floats(
    _ shape: Shape, _ role: OperandRole, _ range: Range, _ fill: GradientCase.Fill, _ stream: inout SplitMix64
  ) -> Tensor<Double> {
    switch role {
    case .values, .indices, .counter:
      return uniform(shape, range.low, range.high, &stream).map(fill.value)
    case .weight(let fanIn):
      let reach = (6 / Double(max(fanIn, 1))).squareRoot()
      return uniform(shape, -reach, reach, &stream)
    case .gain: return uniform(shape, 0.5, 1.5, &stream)
    case .positive: return uniform(shape, 0.25, 1.5, &stream)
    case .mean: return uniform(shape, -1, 1, &stream)
    case .variance: return uniform(shape, 0.25, 2, &stream)
    case .probabilities(let classes):
      var target = uniform(shape, 0.1, 1, &stream)
      for row in stride(from: 0, to: target.count, by: max(classes, 1)) {
        let sum = target.elements[row..<row + classes].reduce(0, +)
        for c in row..<row + classes { target.elements[c] = Double(Float(target.elements[c] / sum)) }
      }
      return target
    }
  }

  /// Each row a number, and every fourth row the ignored one where there is one.
  private static func integers(_ shape: Shape, _ role: OperandRole, _ stream: inout SplitMix64) -> Tensor<Int64> {
    guard case .indices(let count, let ignored) = role, count > 0 else { return Tensor(shape: shape, repeating: 3) }
    return Tensor(
      shape: shape,
      elements: (0..<shape.count).map { row in
        let number = Int64(stream.next() % UInt64(count))
        return row % 4 == 3 ? ignored.map { Int64($0) } ?? number : number
      })
  }
}

extension Operands {
  /// Inputs, parameters and buffers together: within one operation no two share a name.
  public var all: [String: TensorType] {
    inputs.merging(parameters) { first, _ in first }.merging(buffers) { first, _ in first }
  }
}

extension GradientCase.Fill {
  /// An input of this kind from a uniform number.
  func value(_ number: Double) -> Double {
    switch self {
    case .random: number
    case .ties: number.rounded()
    case .shifted: Double(Float(1000 + number))
    case .saturated: Double(Float(15 * number))
    case .narrow: number * 0x1p-7
    case .denormal: Double(Float(number * 0x1p-132))
    }
  }
}
