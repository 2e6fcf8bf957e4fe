import Tensors

/// A problem with operands drawn for it, forward and backward.
public struct RandomExercise: Sendable {
  public let exercise: Exercise

  /// - Parameters:
  ///   - problem: what is asked.
  ///   - roles: what the operands mean.
  ///   - fill: `exact` draws integers from −3 to 3, anything else numbers that use all 24 bits of float32's significand.
  ///   - seed: of every draw.
  ///   - range: of random inputs.
  ///   - values: what random inputs are made of numbers in it.
  public init(
    problem: any OperationProblem, roles: [String: OperandRole], fill: Fill, seed: UInt64,
    range: OperandDraw.Range = .unit, values: GradientCase.Fill = .random
  ) {
    var stream = SplitMix64(seed: seed)
    var draw = OperandDraw(problem.operands, roles: roles, seed: stream.next(), range: range, fill: values)
    if fill == .exact {
      for name in draw.operands.keys.sorted() {
        // What is never negative stays so.
        let low = [.variance, .positive].contains(roles[name]) ? 1 : -3
        draw.operands[name] = draw.operands[name]?.map { _ in Double(Int.random(in: low...3, using: &stream)) }
      }
    }
    // Magnitudes in [1, 2] with either sign: a cotangent near 0 would hide what it multiplies.
    self.init(problem, draw) { shape in
      Tensor(
        shape: shape,
        elements: (0..<shape.count).map { _ in
          let bits = stream.next()
          let magnitude = fill == .exact ? Float(1 + (bits >> 40 & 1)) : 1 + Float(bits >> 41) * 0x1p-23
          return bits & 1 == 0 ? magnitude : -magnitude
        })
    }
  }

  /// Operands and cotangents of a pattern, to which rigorous bounds alone apply.
  /// - Parameters:
  ///   - problem: what is asked.
  ///   - roles: what the operands mean.
  ///   - pattern: what they are drawn as.
  ///   - seed: of every draw.
  public init(
    problem: any OperationProblem, roles: [String: OperandRole], pattern: OperandPattern, seed: UInt64
  ) {
    var stream = SplitMix64(seed: seed)
    let draw = OperandDraw(problem, roles: roles, seed: stream.next(), pattern: pattern)
    self.init(problem, draw) { shape in
      let draws = Tensor<Float>(splitMix64Uniform: shape, seed: stream.next(), low: -1, high: 1).map { Double($0) }
      return pattern.values(draws, of: .cotangent, terms: problem.longestSum).map { Float($0) }
    }
  }

  /// - Parameter cotangent: makes one of this shape.
  private init(_ problem: any OperationProblem, _ draw: OperandDraw, cotangent: (Shape) -> Tensor<Float>) {
    var exercise = Exercise(problem, draw, dtype: .float32)
    for (name, type) in problem.outputs.sorted(by: { $0.key < $1.key }) where type.dtype != .int64 {
      exercise.upstream[name] = .float32(cotangent(type.shape))
    }
    exercise.passes = [.forward, .backward]
    self.exercise = exercise
  }
}

extension Exercise {
  /// A problem with these operands.
  /// - Parameters:
  ///   - problem: what is asked.
  ///   - draw: its operands.
  ///   - name: the problem's text form where it is `nil`.
  ///   - dtype: that they are stored in.
  public init(_ problem: any OperationProblem, _ draw: OperandDraw, named name: String? = nil, dtype: DType) {
    self.init(problem, operands: draw.operands, integers: draw.integers, named: name, dtype: dtype)
  }

  /// The same, with operands of whatever origin.
  public init(
    _ problem: any OperationProblem, operands: [String: Tensor<Double>], integers: [String: Tensor<Int64>] = [:],
    named name: String? = nil, dtype: DType
  ) {
    let types = problem.operands
    func group(_ types: [String: TensorType]) -> [String: AnyTensor] {
      types.reduce(into: [:]) { group, operand in
        group[operand.key] =
          operands[operand.key].map { AnyTensor.float64($0).converted(to: dtype) }
          ?? integers[operand.key].map { .int64($0) }
      }
    }
    self.init(
      name: name ?? problem.text, operation: type(of: problem).operation, attributes: problem.attributes,
      inputs: group(types.inputs), parameters: group(types.parameters), buffers: group(types.buffers), dtype: dtype)
  }
}
