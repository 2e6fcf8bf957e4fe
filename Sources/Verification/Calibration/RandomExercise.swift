import Engines
import GoldenFiles
import Problems
import Tensors

/// A problem with operands drawn for it, forward and backward.
public struct RandomExercise: Sendable {
  public let exercise: Exercise

  /// - Parameters:
  ///   - problem: whose operands are drawn.
  ///   - fill: `exact` draws integers from −3 to 3, anything else numbers that use all 24 bits of float32's significand.
  ///   - seed: gives the same tensors again.
  ///   - low: the least random input; parameters are in [−1, 1], class weights and variances above 0.25.
  ///   - high: what random inputs stay below.
  public init(problem: any OperationProblem, fill: Fill, seed: UInt64, low: Double = -1, high: Double = 1) {
    var stream = SplitMix64(seed: seed)
    func draw(_ type: TensorType, _ low: Double, _ high: Double) -> AnyTensor {
      if type.dtype == .int64 { return .int64(Tensor(shape: type.shape, repeating: 3)) }
      if fill == .exact {
        return .float32(
          Tensor(
            shape: type.shape,
            elements: (0..<type.shape.count).map { _ in Float(Int.random(in: -3...3, using: &stream)) }))
      }
      return .float32(Tensor(splitMix64Uniform: type.shape, seed: stream.next(), low: low, high: high))
    }
    func drawAll(_ types: [String: TensorType], _ body: (TensorType) -> AnyTensor) -> [String: AnyTensor] {
      // In the order of names, so that a seed always gives the same tensors.
      types.sorted { $0.key < $1.key }.reduce(into: [:]) { $0[$1.key] = body($1.value) }
    }
    let operands = problem.operands
    let classes = (problem as? CrossEntropyProblem)?.classes
    let inputs = drawAll(operands.inputs) { type in
      guard let classes, type.dtype == .int64 else { return draw(type, low, high) }
      return .int64(
        Tensor(
          shape: type.shape,
          elements: (0..<type.shape.count).map { _ in Int64(Int.random(in: 0..<classes, using: &stream)) }))
    }
    let parameters = drawAll(operands.parameters) { draw($0, classes == nil ? -1 : 0.25, 1) }
    let buffers = drawAll(operands.buffers) { draw($0, 0.25, 2) }
    // Magnitudes in [1, 2] with either sign: a cotangent near 0 would hide what it multiplies.
    let upstream = drawAll(problem.outputs.filter { $0.value.dtype != .int64 }) { type in
      .float32(
        Tensor(
          shape: type.shape,
          elements: (0..<type.shape.count).map { _ in
            let bits = stream.next()
            let magnitude = fill == .exact ? Float(1 + (bits >> 40 & 1)) : 1 + Float(bits >> 41) * 0x1p-23
            return bits & 1 == 0 ? magnitude : -magnitude
          }))
    }
    exercise = Exercise(
      name: problem.text, operation: type(of: problem).operation, attributes: problem.attributes, inputs: inputs,
      parameters: parameters, buffers: buffers, upstream: upstream, passes: [.forward, .backward])
  }

  /// The exercise as a golden case whose expected values an oracle computes in float64.
  /// - Throws: `EngineError` when the oracle cannot compute it.
  public func goldenCase(oracle: any Engine, fill: Fill) throws(EngineError) -> GoldenCase {
    let answer = try oracle.compute(exercise.converted(to: .float64))
    return GoldenCase(
      summary: GoldenCaseSummary(name: exercise.name, operation: exercise.operation, fill: fill),
      attributes: exercise.attributes, inputs: exercise.inputs, parameters: exercise.parameters,
      buffers: exercise.buffers, upstream: exercise.upstream,
      outputs: answer.outputs.mapValues { ExpectedTensor($0) },
      buffersAfter: answer.buffersAfter.mapValues { ExpectedTensor($0) },
      gradients: answer.gradients.mapValues { ExpectedTensor($0) })
  }
}
