import Operations
import Problems
import Tensors

/// The sets of operands that a workload's contestants rotate over, and the fresh numbers that each round brings.
///
/// An engine is given them one by one after it prepared, and they are stored nowhere: what it computed for earlier ones is of no
/// use to it.
package struct OperandSets: Sendable {
  /// All contestants together hold no more than so much of operands and results, each at most.
  private static let mostBytes = 1 << 30
  package static let mostSets = 64

  /// How many sets memory allows.
  let most: Int
  /// What one set's operands and results take.
  let bytes: Int
  private let exercise: Exercise
  private let seed: UInt64
  /// By input, how many classes its indices are of.
  private let classes: [String: Int]
  /// Inputs that are no numbers of whatever sign: rows that sum to 1.
  private let restricted: [String: OperandRole]

  /// - Parameters:
  ///   - exercise: the operands' types and shapes.
  ///   - resultBytes: what one set's outputs take.
  ///   - seed: from which every round's numbers follow.
  package init(of exercise: Exercise, resultBytes: Int, seed: UInt64) {
    self.exercise = exercise
    self.seed = seed
    let given = [exercise.inputs, exercise.upstream].flatMap(\.values)
    bytes = given.reduce(resultBytes) { $0 + $1.shape.count * $1.dtype.byteCount }
    let roles = (try? OperationRegistry.operation(of: exercise))??.roles ?? [:]
    classes = roles.compactMapValues { if case .indices(let count, _) = $0 { count } else { nil } }
    restricted = roles.filter { if case .probabilities = $0.value { true } else { false } }
    most = max(2, min(Self.mostSets, Self.mostBytes / max(bytes, 1)))
  }

  /// The numbers of one set in one round: uniform in [−1, 1), as the bounds of random values ask, any class each, and probabilities
  /// that are some.
  package func operands(set: Int, round: Int) -> LateOperands {
    // A stream for each tensor: SplitMix64 scatters seeds that follow each other.
    var stream = SplitMix64(seed: seed &+ UInt64(2 * round * OperandSets.mostSets + set))
    func fresh(_ tensors: [String: AnyTensor]) -> [String: AnyTensor] {
      var drawn: [String: AnyTensor] = [:]
      for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
        let own = stream.next()
        if let count = classes[name] {
          var labels = SplitMix64(seed: own)
          let elements = (0..<tensor.shape.count).map { _ in Int64(labels.below(count)) }
          drawn[name] = .int64(Tensor(shape: tensor.shape, elements: elements))
        } else if let role = restricted[name] {
          let types = Operands(inputs: [name: TensorType(tensor.shape)])
          let draw = OperandDraw(types, roles: [name: role], seed: own, range: .unit)
          drawn[name] = draw.operands[name].map { AnyTensor.float64($0).converted(to: tensor.dtype) }
        } else {
          let single = AnyTensor.float32(Tensor(splitMix64Uniform: tensor.shape, seed: own, low: -1, high: 1))
          drawn[name] = single.converted(to: tensor.dtype)
        }
      }
      return drawn
    }
    return LateOperands(inputs: fresh(exercise.inputs), upstream: fresh(exercise.upstream))
  }
}
