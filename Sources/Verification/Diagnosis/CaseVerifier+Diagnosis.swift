import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

/// Why an answer is wrong: mistakes are made on the case's own operands, and what comes of them is held against it.
extension CaseVerifier {
  /// What is looked into at most: steps of the right computation, and elements of a tensor.
  private static let mostWork = 5e5
  private static let mostElements = 60_000

  /// Asks an engine once more for a case that it fails, and tries what mistake gives what it gives.
  /// - Parameters:
  ///   - engine: what is asked.
  ///   - dtype: the precision that it is asked in.
  ///   - threads: the number of them with which it fails; `nil` for the first of its standard.
  ///   - withheld: the name of a mistake that is not tried.
  /// - Returns: `nil` for a case that is too large for it, and where no element can be held against another.
  public func diagnose(_ engine: any Engine, dtype: DType, threads: Int? = nil, withholding withheld: String? = nil)
    -> DiagnosisRecord?
  {
    guard let definition, item.golden.expectError == nil, !item.isPart,
      Double(definition.problem.work.value) <= Self.mostWork
    else { return nil }
    let description = engine.description
    let expected = expectations(dtype).filter { description.produces($0.key, of: item.golden.operation) }
    let model = caseBounds(definition, description, dtype).model
    let needsGradients = expected.keys.contains { $0.hasPrefix("gradients/") }
    var exercise = exercise(
      dtype, wanted: Set(expected.keys), passes: needsGradients ? [.forward, .backward] : [.forward])
    exercise.threads = threads ?? description.standardThreads.first ?? 1
    guard let answer = try? engine.compute(exercise.guarded),
      let tensors = judged(answer, expected, exercise, model, description)
    else { return nil }
    let changing = changing(engine, exercise, tensors) { judged($0, expected, exercise, model, description) }
      .filter { $0.name != withheld }
    guard tensors.contains(where: { !$0.failing.isEmpty }) else { return DiagnosisRecord(causes: changing, tried: 0) }
    let hypotheses = Hypothesis.all(of: definition, on: exercise).filter { $0.name != withheld }
    var causes = changing.map { (cause: $0, isWhole: true) }
    for hypothesis in hypotheses {
      guard !causes.contains(where: { $0.cause.name == hypothesis.name }), let wrong = try? hypothesis.answer(),
        let (sureness, isWhole) = Self.agreement(of: wrong, with: tensors)
      else { continue }
      let cause = CauseRecord(
        name: hypothesis.name, kind: hypothesis.kind, sureness: sureness, isDoubtful: !isWhole)
      causes.append((cause, isWhole))
    }
    causes += Self.narrowed(tensors, exercise).map { (cause: $0, isWhole: true) }
    causes += Self.changes(tensors, extents(exercise)).map { (cause: $0, isWhole: true) }
    if causes.isEmpty { causes = Self.sums(tensors, exercise).map { (cause: $0, isWhole: true) } }
    // What explains the right tensors, too, leaves nothing to what does not.
    let whole = Set(causes.filter(\.isWhole).map(\.cause.kind))
    return DiagnosisRecord(
      causes: causes.filter { $0.isWhole || !whole.contains($0.cause.kind) }.map(\.cause), tried: hypotheses.count)
  }

  /// What shows when an engine is asked for the same again, with another case between: what it keeps from call to call.
  /// - Parameters:
  ///   - first: its first answer, beside what is expected.
  ///   - judged: puts another beside it.
  /// - Returns: nothing where an engine answers twice as it did when it failed.
  private func changing(
    _ engine: any Engine, _ exercise: Exercise, _ first: [JudgedTensor], _ judged: (Answer) -> [JudgedTensor]?
  ) -> [CauseRecord] {
    let another = CauseRecord(name: "another answer when it is asked again", kind: .result, sureness: .agrees)
    // It failed before, and does not now.
    let isRight = first.allSatisfy(\.failing.isEmpty)
    var other = exercise
    other.reverseOperands()
    let isOtherAnswered = (try? engine.compute(other.guarded)) != nil
    guard let answer = try? engine.compute(exercise.guarded), let second = judged(answer) else {
      return isRight ? [another] : []
    }
    let changed = zip(first, second).filter { $0.differs(from: $1) }
    guard !changed.isEmpty else { return isRight ? [another] : [] }
    guard isOtherAnswered, let earlier = try? Hypothesis.right(other.converted(to: .float64)) else { return [another] }
    let kept = Self.kept(exercise, other, second)
    guard kept.isEmpty else { return kept + [another] }
    let added = changed.compactMap { first, second in
      earlier[second.path].flatMap { second.isAdded(to: $0.doubles.elements, after: first) }
    }
    guard added.count == changed.count else { return [another] }
    let sureness = Self.sureness(
      isExact: added.allSatisfy(\.isExact), isTelling: added.contains(where: \.isTelling))
    return [CauseRecord(name: "buffer not zeroed between calls", kind: .defect, sureness: sureness), another]
  }

  /// Operands that an engine did not take anew: those of the call before give its answer.
  private static func kept(_ exercise: Exercise, _ before: Exercise, _ tensors: [JudgedTensor]) -> [CauseRecord] {
    guard tensors.contains(where: { !$0.failing.isEmpty }) else { return [] }
    let groups: [WritableKeyPath<Exercise, [String: AnyTensor]>] = [\.inputs, \.parameters, \.buffers]
    return groups.flatMap { group in
      exercise[keyPath: group].keys.sorted().compactMap { name -> CauseRecord? in
        var asked = exercise
        asked[keyPath: group][name] = before[keyPath: group][name]
        guard let answer = try? Hypothesis.right(asked.converted(to: .float64)),
          let (sureness, isWhole) = agreement(of: answer, with: tensors)
        else { return nil }
        return CauseRecord(
          name: "\(name) of the call before", kind: .operand, sureness: sureness, isDoubtful: !isWhole)
      }
    }
  }

  /// The answer beside what is expected.
  /// - Returns: `nil` where a tensor is none whose elements can be compared.
  private func judged(
    _ answer: Answer, _ expected: [String: ExpectedTensor], _ exercise: Exercise, _ model: (any BoundModel)?,
    _ engine: EngineDescription
  ) -> [JudgedTensor]? {
    var tensors: [JudgedTensor] = []
    for (path, value) in expected.sorted(by: { $0.key < $1.key }) {
      guard case .whole(let right) = value.value, let got = answer[path], got.shape == right.shape,
        right.shape.count <= Self.mostElements, UnwrittenMark.positions(in: got).isEmpty,
        let comparison = comparison(of: path, value, exercise, model, engine)
      else { return nil }
      let (dtype, targets) = (comparison.dtype, right.doubles.elements.map(comparison.allowance.target))
      let bounds = targets.indices.map { offset in
        let bound = comparison.allowance.bound(at: offset, expected: targets[offset], dtype: dtype)
        return bound.isNaN ? 0 : bound
      }
      tensors.append(
        JudgedTensor(
          path: path, shape: right.shape, got: got.doubles.elements, expected: targets, bounds: bounds,
          dtype: got.dtype, failing: comparison.failing(got)))
    }
    return tensors.isEmpty ? nil : tensors
  }

  /// Whether a mistake gives every wrong tensor, and whether it gives the right ones, too.
  private static func agreement(of wrong: Answer, with tensors: [JudgedTensor]) -> (Sureness, isWhole: Bool)? {
    var (isExact, isTelling, isWhole) = (true, false, true)
    for tensor in tensors {
      let values = wrong[tensor.path].flatMap { $0.shape == tensor.shape ? $0.doubles.elements : nil }
      guard let values, let found = tensor.agreement(with: values) else {
        if tensor.failing.isEmpty {
          isWhole = false
          continue
        }
        return nil
      }
      guard !tensor.failing.isEmpty else { continue }
      isExact = isExact && found.isExact
      isTelling = isTelling || found.isTelling
    }
    return (sureness(isExact: isExact && isWhole, isTelling: isTelling), isWhole)
  }

  private static func sureness(isExact: Bool, isTelling: Bool) -> Sureness {
    isTelling ? isExact ? .exactly : .agrees : .looksLike
  }

  /// Changes of what is expected that every wrong tensor shows.
  private static func changes(
    _ tensors: [JudgedTensor], _ extents: [(name: String, value: Double)]
  ) -> [CauseRecord] {
    let found = tensors.filter { !$0.failing.isEmpty }.map { $0.changes(extents) }
    return (found.first ?? []).compactMap { change -> CauseRecord? in
      let all = found.compactMap { changes in changes.first { $0.name == change.name }?.agreement }
      guard all.count == found.count else { return nil }
      let isTelling = all.contains(where: \.isTelling)
      return CauseRecord(
        name: change.name, kind: change.kind,
        sureness: sureness(isExact: all.allSatisfy(\.isExact), isTelling: isTelling), isDoubtful: change.isGuess)
    }
  }

  /// Operands and results that both have fewer bits.
  private static func narrowed(_ tensors: [JudgedTensor], _ exercise: Exercise) -> [CauseRecord] {
    let wrong = tensors.filter { !$0.failing.isEmpty }
    return Hypothesis.formats.compactMap { format -> CauseRecord? in
      let asked = exercise.converted(to: .float64).rounded(toBits: format.bits, withCotangents: true)
      guard let answer = try? Hypothesis.right(asked) else { return nil }
      let found = wrong.compactMap { tensor in
        answer[tensor.path].flatMap { tensor.stored(inBits: format.bits, around: $0.doubles.elements) }
      }
      guard found.count == wrong.count else { return nil }
      return CauseRecord(
        name: "operands and results rounded to \(format.bits) bits: \(format.name)", kind: .rounding,
        sureness: sureness(isExact: found.allSatisfy(\.isExact), isTelling: found.contains(where: \.isTelling)))
    }
  }

  /// Sums in fewer bits that leave errors of the same size.
  private static func sums(_ tensors: [JudgedTensor], _ exercise: Exercise) -> [CauseRecord] {
    guard exercise.dtype == .float32 else { return [] }
    return JudgedTensor.sums.compactMap { name, keeping -> CauseRecord? in
      guard let answer = try? exercise.computed(keeping) else { return nil }
      let isAlike = tensors.filter { !$0.failing.isEmpty }.allSatisfy { tensor in
        answer[tensor.path].map { tensor.hasErrors(like: $0.doubles.elements) } ?? false
      }
      return isAlike ? CauseRecord(name: name, kind: .rounding, sureness: .looksLike) : nil
    }
  }

  /// What means are taken over, or should be.
  private func extents(_ exercise: Exercise) -> [(name: String, value: Double)] {
    guard let shape = exercise.inputs["x"]?.shape ?? exercise.inputs.min(by: { $0.key < $1.key })?.value.shape,
      shape.rank >= 2
    else { return [] }
    let places = shape.dimensions.dropFirst(2).reduce(1, *)
    var found = [("the batch", shape[0])]
    if shape.rank > 2 {
      found += [("the places of a channel", places), ("the elements of a channel in the batch", shape[0] * places)]
    }
    found.append(("the elements of a row", shape[shape.rank - 1]))
    return found.map { ($0.0, Double($0.1)) }
  }
}
