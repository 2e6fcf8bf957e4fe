import Engines
import Operations
import Problems
import Tensors

/// An exercise that has to be refused: a valid one with one thing wrong.
struct InvalidExercise: Sendable {
  let exercise: Exercise
  let category: ProblemError.Category
  /// What is wrong with it: `stride = 0`.
  let fault: String

  private static let attempts = 24

  /// - Returns: `nil` where nothing that was tried is against the operation's rules.
  init?(spoiling valid: Exercise, seed: UInt64) {
    var stream = SplitMix64(seed: seed)
    for _ in 0..<Self.attempts {
      var exercise = valid
      guard let fault = Self.spoil(&exercise, &stream), let category = Self.refusal(of: exercise) else { continue }
      self.exercise = exercise
      self.category = category
      self.fault = fault
      return
    }
    return nil
  }

  /// What the operation's own rules say: those of shapes and attributes before anything is computed, those of indices by the
  /// reference.
  private static func refusal(of exercise: Exercise) -> ProblemError.Category? {
    do throws(ProblemError) {
      // What turned out valid may be as large as it likes.
      guard let problem = try exercise.problem(), problem.elementCount <= ProblemDraw.Budget.large.elements else {
        return nil
      }
    } catch { return error.category }
    guard exercise.operands.inputs.values.contains(where: { $0.dtype == .int64 }) else { return nil }
    do throws(EngineError) { _ = try ReferenceEngine().compute(exercise) } catch {
      if case .refused(let category, _) = error { return ProblemError.Category(rawValue: category) }
    }
    return nil
  }

  /// - Returns: what was done, in words.
  private static func spoil(_ exercise: inout Exercise, _ stream: inout SplitMix64) -> String? {
    switch stream.below(4) {
    case 0, 1: spoilAttribute(&exercise, &stream)
    case 2: spoilShape(&exercise, &stream)
    default: spoilIndex(&exercise, &stream)
    }
  }

  private static func spoilAttribute(_ exercise: inout Exercise, _ stream: inout SplitMix64) -> String? {
    let names = exercise.attributes.values.keys.sorted()
    guard !names.isEmpty else { return nil }
    let name = names[stream.below(names.count)]
    let bad = [-1, 0][stream.below(2)]
    switch exercise.attributes[name] {
    case .integer(let value): exercise.attributes[name] = .integer([bad, value + 1][stream.below(2)])
    case .integers(var values) where !values.isEmpty:
      values[stream.below(values.count)] = bad
      exercise.attributes[name] = .integers(values)
    case .real: exercise.attributes[name] = .real(-1)
    case .string: exercise.attributes[name] = .string("none such")
    default: return nil
    }
    return exercise.attributes[name].map { "\(name) = \($0)" }
  }

  /// One extent of one tensor is one more.
  private static func spoilShape(_ exercise: inout Exercise, _ stream: inout SplitMix64) -> String? {
    let groups: [WritableKeyPath<Exercise, [String: AnyTensor]>] = [\.inputs, \.parameters, \.buffers]
    let group = groups[stream.below(groups.count)]
    let names = exercise[keyPath: group].keys.sorted()
    guard !names.isEmpty else { return nil }
    let name = names[stream.below(names.count)]
    guard let tensor = exercise[keyPath: group][name], tensor.shape.rank > 0 else { return nil }
    var dimensions = tensor.shape.dimensions
    dimensions[stream.below(dimensions.count)] += 1
    let shape = Shape(dimensions)
    exercise[keyPath: group][name] =
      tensor.dtype == .int64
      ? .int64(Tensor(shape: shape, repeating: 0))
      : AnyTensor.float64(Tensor(shape: shape, repeating: 1)).converted(to: tensor.dtype)
    return "\(name) of shape \(shape)"
  }

  private static let largeIndex: Int64 = 1 << 40

  private static func spoilIndex(_ exercise: inout Exercise, _ stream: inout SplitMix64) -> String? {
    for (name, tensor) in exercise.inputs.sorted(by: { $0.key < $1.key }) {
      guard case .int64(var indices) = tensor, indices.count > 0 else { continue }
      let place = stream.below(indices.count)
      indices.elements[place] = [-1, largeIndex][stream.below(2)]
      exercise.inputs[name] = .int64(indices)
      return "\(name)[\(place)] = \(indices.elements[place])"
    }
    return nil
  }
}
