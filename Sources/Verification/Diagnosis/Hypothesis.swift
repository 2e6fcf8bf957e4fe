import Operations
import Problems
import Results
import Tensors

/// A mistake that may have been made: what comes of it on a case's own operands can be held against a wrong answer.
struct Hypothesis: Sendable {
  let name: String
  let kind: CauseKind
  /// - Throws: where the mistake cannot be made on these operands.
  let answer: @Sendable () throws(EngineError) -> Answer

  init(_ name: String, _ kind: CauseKind, _ answer: @escaping @Sendable () throws(EngineError) -> Answer) {
    self.name = name
    self.kind = kind
    self.answer = answer
  }

  /// The right results of a changed exercise.
  init(_ name: String, _ kind: CauseKind, asking changed: Exercise) {
    self.init(name, kind) { () throws(EngineError) in try Self.right(changed) }
  }

  /// The definition's results in double precision, on operands as they are.
  static func right(_ exercise: Exercise) throws(EngineError) -> Answer {
    do throws(ProblemError) {
      guard let definition = try OperationRegistry.operation(of: exercise) else {
        throw ProblemError(.invalidArgument, "operation", expected: "a definition", found: exercise.operation)
      }
      return Answer(try definition.compute(definition.given(exercise, as: Double.self)))
    } catch {
      throw EngineError(error)
    }
  }
}

extension Hypothesis {
  /// Everything that is tried on an exercise, whatever the operation, and what its definition knows of its own mistakes.
  static func all(of definition: any Operations.Operation, on exercise: Exercise) -> [Hypothesis] {
    let wide = exercise.converted(to: .float64)
    return roundings(wide) + defects(of: definition, exercise, wide) + perturbations(of: definition, wide)
      + operands(wide) + attributes(wide)
  }

  /// Formats whose operands a kernel may have been given, by their significant bits.
  static let formats = [(bits: 11, name: "float16 or TF32"), (bits: 8, name: "bfloat16")]

  private static func roundings(_ exercise: Exercise) -> [Hypothesis] {
    formats.flatMap { format in
      [(true, 0), (false, 0), (true, 2), (false, 2)].map { withCotangents, rank in
        Hypothesis(
          "operands rounded to \(format.bits) bits: \(format.name)", .rounding,
          asking: exercise.rounded(toBits: format.bits, withCotangents: withCotangents, fromRank: rank))
      }
    }
  }

  /// The operation's own mutants: what people get wrong in it.
  private static func defects(
    of definition: any Operations.Operation, _ exercise: Exercise, _ wide: Exercise
  ) -> [Hypothesis] {
    let own = type(of: definition).mutants.value ?? []
    let narrow = exercise.dtype.isNarrow ? NarrowMutants.all : []
    return (own + narrow).filter { $0.applies(to: exercise.operation) }.compactMap { mutant -> Hypothesis? in
      guard !mutant.isNarrow || mutant.dtypes.contains(exercise.dtype) else { return nil }
      let asked = mutant.isNarrow ? exercise : wide
      return Hypothesis(mutant.name, .defect) { () throws(EngineError) in
        try mutant.make()(asked) { (changed) throws(EngineError) in try right(changed) }
      }
    }
  }

  /// What every corpus must notice.
  private static func perturbations(of definition: any Operations.Operation, _ exercise: Exercise) -> [Hypothesis] {
    let own = type(of: definition).perturbations.value ?? []
    return (own + (exercise.upstream.isEmpty ? [] : Perturbation.ofCotangents)).map { perturbation in
      Hypothesis(perturbation.name, .perturbation) { () throws(EngineError) in
        let oracle: Perturbation.Oracle = { (asked) throws(EngineError) in try right(asked) }
        guard let changed = perturbation.apply(exercise, oracle) else {
          throw .unsupported("nothing to change")
        }
        return try right(changed)
      }
    }
  }

  private static let groups: [(label: String, path: WritableKeyPath<Exercise, [String: AnyTensor]> & Sendable)] = [
    ("", \.inputs), ("", \.parameters), ("", \.buffers), ("the cotangent of ", \.upstream),
  ]

  /// One operand taken for something else.
  private static func operands(_ exercise: Exercise) -> [Hypothesis] {
    groups.flatMap { group -> [Hypothesis] in
      exercise[keyPath: group.path].filter { $0.value.dtype != .int64 }.sorted { $0.key < $1.key }
        .flatMap { name, tensor -> [Hypothesis] in
          changes(of: tensor.doubles).map { change, tensor -> Hypothesis in
            var changed = exercise
            changed[keyPath: group.path][name] = .float64(tensor)
            return Hypothesis("\(group.label)\(name) \(change)", .operand, asking: changed)
          }
        }
    }
  }

  private static func changes(of tensor: Tensor<Double>) -> [(String, Tensor<Double>)] {
    let rank = tensor.shape.rank
    var found: [(String, Tensor<Double>)] = [
      ("taken for 0", tensor.map { _ in 0 }), ("taken for 1", tensor.map { _ in 1 }),
      ("taken twice", tensor.map { 2 * $0 }), ("with the other sign", tensor.map { -$0 }),
    ]
    if let rolled = Perturbation.rolled(tensor) { found.append(("one place off", rolled)) }
    guard rank >= 2 else { return found }
    let (rows, columns) = (tensor.shape[rank - 2], tensor.shape[rank - 1])
    if rows == columns, rows > 1 {
      found.append(
        (
          "with its last two axes exchanged",
          tensor.gathered { index in Array(index.dropLast(2)) + [index[rank - 1], index[rank - 2]] }
        ))
    }
    if rank > 2, rows * columns > 1, let flipped = Perturbation.flipped(tensor) {
      found.append(("with its last two axes reversed", flipped))
    }
    if tensor.shape[0] == tensor.shape[1], tensor.shape[0] > 1, rank > 2 {
      found.append(
        (
          "with its first two axes exchanged", tensor.gathered { [$0[1], $0[0]] + Array($0.dropFirst(2)) }
        ))
    }
    return found
  }

  /// One attribute taken for something else.
  private static func attributes(_ exercise: Exercise) -> [Hypothesis] {
    exercise.attributes.values.sorted { $0.key < $1.key }.flatMap { name, value -> [Hypothesis] in
      changes(of: value).map { change, value -> Hypothesis in
        var changed = exercise
        changed.attributes[name] = value
        return Hypothesis("\(name) \(change)", .operand, asking: changed)
      }
    }
  }

  private static func changes(of value: AttributeValue) -> [(String, AttributeValue?)] {
    var found: [(String, AttributeValue?)] = [("not looked at", nil)]
    switch value {
    case .boolean(let value): found.append(("taken for \(!value)", .boolean(!value)))
    case .integer(let value) where value != 0: found.append(("taken for 0", .integer(0)))
    case .real(let value):
      if value != 0 { found.append(("taken for 0", .real(0))) }
      if value > 0, value < 1 { found.append(("taken for 1 less it", .real(1 - value))) }
    case .integers(let values) where values.count == 2 && values[0] != values[1]:
      found.append(("of height and width exchanged", .integers([values[1], values[0]])))
    default: break
    }
    return found
  }
}

extension Exercise {
  /// Floating-point inputs and parameters of so many significant bits: those that are multiplied, where vectors are only added.
  func rounded(toBits bits: Int, withCotangents: Bool, fromRank rank: Int = 0) -> Exercise {
    func rounded(_ tensors: [String: AnyTensor]) -> [String: AnyTensor] {
      tensors.mapValues { tensor in
        tensor.shape.rank < rank ? tensor : tensor.edited { $0 = $0.rounded(toBits: bits) }
      }
    }
    var changed = self
    changed.inputs = rounded(inputs)
    changed.parameters = rounded(parameters)
    if withCotangents { changed.upstream = rounded(upstream) }
    return changed
  }
}
