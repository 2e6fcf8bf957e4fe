import Engines
import Foundation
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

/// Holds one case against engines; the bounds are computed once for all of them.
public struct CaseVerifier: Sendable {
  public let item: VerificationCase
  let definition: (any Operations.Operation)?
  let models: BoundModelCache
  private let narrow: NarrowCases
  /// What bounds of networks are measured with, and what their layers are held against.
  let oracle: Oracle
  private let lanes: Int

  /// - Parameters:
  ///   - item: the case.
  ///   - oracle: computes the float64 side of networks, and is itself held to the case.
  ///   - lanes: layers of a network that are judged at once, where the engine is built in.
  public init(_ item: VerificationCase, oracle: Oracle = .blocked, lanes: Int = 1) {
    self.item = item
    self.oracle = oracle
    self.lanes = lanes
    // The loader validated it already; a case that it could not validate has no bound.
    definition =
      item.golden.expectError == nil ? (try? OperationRegistry.operation(of: item.golden.exercise)) ?? nil : nil
    models = BoundModelCache()
    narrow = NarrowCases()
  }

  /// What an engine is asked for.
  func exercise(_ dtype: DType, wanted: Set<String>, passes: Set<Pass>) -> Exercise {
    var exercise = item.golden.exercise
    exercise.name = Exercise.neutralName
    exercise.passes = passes
    exercise.wanted = wanted
    exercise.singles = definition?.staysSingle ?? []
    if !passes.contains(.backward) { exercise.upstream = [:] }
    return exercise.converted(to: dtype)
  }

  /// What results in a precision are held against: the file's, or in 16 bits the reference's in float64 on operands of that type.
  func expectations(_ dtype: DType) -> [String: ExpectedTensor] {
    let stored = item.golden.expected
    guard dtype.isNarrow, let definition else { return stored }
    return narrow.expectations(dtype) {
      let exercise = exercise(dtype, wanted: Set(stored.keys), passes: [.forward, .backward])
      guard let found = try? definition.compute(definition.given(exercise, as: Double.self)) else { return [:] }
      let answer = Answer(found)
      return stored.reduce(into: [:]) { all, expected in
        guard let tensor = answer[expected.key] else { return }
        var changed = expected.value
        // One element may stand for a scalar.
        changed.value = .whole(
          tensor.shape.count == changed.shape.count ? tensor.reshaped(to: changed.shape) : tensor)
        all[expected.key] = changed
      }
    }
  }

  /// - Parameters:
  ///   - engine: what is asked.
  ///   - dtype: the precision that it is asked in.
  ///   - threads: the counts that it is asked with, one after the other, each once: the first that fails decides. `nil` for
  ///     ``Engines/EngineDescription/standardThreads``.
  ///   - repeating: whether an engine that declares itself deterministic is held to it; `nil` where it is not built in.
  /// - Returns: the verdict; nothing that the engine does ends the run.
  public func verify(
    _ engine: any Engine, dtype: DType, threads: [Int]? = nil, repeating: Bool? = nil
  ) -> CaseResult {
    let started = ContinuousClock.now
    let description = engine.description
    var result = judge(
      Asked(
        engine: engine, description: description, dtype: dtype, threads: threads ?? description.standardThreads,
        isRepeated: (repeating ?? !description.isBuiltIn) && description.deterministic))
    let elapsed = ContinuousClock.now - started
    result.seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    return result
  }

  /// Who is asked, and how.
  private struct Asked {
    let engine: any Engine
    let description: EngineDescription
    let dtype: DType
    let threads: [Int]
    let isRepeated: Bool
  }

  private func judge(_ asked: Asked) -> CaseResult {
    let (engine, description, dtype) = (asked.engine, asked.description, asked.dtype)
    var result = CaseResult(
      file: item.file, name: item.golden.name, operation: item.golden.operation, fill: item.golden.fill.rawValue,
      engine: description.name, dtype: dtype.rawValue, status: .unsupported)
    if let unstarted = engine as? UnstartedEngine {
      result.status = .notRun
      result.message = unstarted.reason
      return result
    }
    if let reason = unsupported(description, dtype) {
      result.message = reason
      return result
    }
    if let category = item.golden.expectError { return judgeRefusal(asked, category, result) }
    let expected = expectations(dtype)
    if let missing = item.golden.expected.keys.filter({ expected[$0] == nil }).min() {
      result.status = .error
      result.message = "the reference does not compute \(missing) in \(dtype.rawValue)"
      return result
    }
    let omitted = expected.keys.filter { !description.produces($0, of: item.golden.operation) }
    result.omitted = omitted.sorted()
    let wanted = expected.filter { !omitted.contains($0.key) }
    guard !wanted.isEmpty else {
      if !expected.isEmpty { result.isOmitted = true }
      result.message = expected.isEmpty ? "the case expects nothing" : "nothing is left that the engine produces"
      return result
    }
    return judgeAnswers(asked, wanted, result)
  }

  /// The answers of each number of threads. One that is the first's, bit for bit, has the first's verdict.
  private func judgeAnswers(
    _ asked: Asked, _ expected: [String: ExpectedTensor], _ start: CaseResult
  ) -> CaseResult {
    let paths = Set(expected.keys)
    let needsGradients = paths.contains { $0.hasPrefix("gradients/") }
    // Before the operands: those of a network and what its bounds are made of would be too much at once.
    let bounds = definition.map { caseBounds($0, asked.description, asked.dtype) }
    if let fault = bounds?.fault { return failed(start, .failed("the oracle that judges it is wrong: \(fault)")) }
    let model = bounds?.model
    var exercise = exercise(asked.dtype, wanted: paths, passes: needsGradients ? [.forward, .backward] : [.forward])
      .guarded
    let before = exercise.fingerprints
    var result = start
    var first: Answer?
    var last: Answer?
    var covered: [Int] = []
    var refusals: [String] = []
    for count in asked.threads {
      exercise.threads = count
      let answer: Answer
      do throws(EngineError) { answer = try asked.engine.compute(exercise) } catch {
        guard case .unsupported(let reason) = error else {
          return failed(start, error).naming(count, after: covered, of: asked.threads)
        }
        refusals.append(reason)
        continue
      }
      covered.append(count)
      let isNew = first.map { answer.firstDifference(from: $0, in: paths) != nil } ?? true
      var found = start
      if isNew { compare(answer, expected, exercise, model, asked.description, into: &found) }
      let after = exercise.fingerprints
      if let changed = before.keys.sorted().first(where: { before[$0] != after[$0] }) {
        found.status = .fail
        found.message = "the engine changed \(changed), which it may only read"
      } else if !isNew {
        continue
      }
      guard found.status == .pass else { return found.naming(count, after: covered.dropLast(), of: asked.threads) }
      // What is not needed again is not kept: a network's answer is as large as the network.
      if first == nil, asked.threads.count > 1 { first = answer }
      if asked.isRepeated { last = answer }
      result.status = .pass
      result.tensors = found.tensors.enumerated().map { index, tensor in
        guard result.tensors.indices.contains(index) else { return tensor }
        return tensor.worstRatio < result.tensors[index].worstRatio ? result.tensors[index] : tensor
      }
    }
    first = nil
    guard let count = covered.last else {
      result.message = refusals.first ?? ""
      return result
    }
    result.threads = covered
    if let reason = refusals.first { result.message = "not with every number of threads: \(reason)" }
    judgeLayers(model, asked, covered, into: &result)
    guard result.status == .pass, let last else { return result }
    exercise.threads = count
    if let found = repeated(asked, &exercise, last, paths, start) {
      return found.naming(count, after: covered.dropLast(), of: asked.threads)
    }
    return result
  }

  /// Asks once more, with another exercise in the same memory between.
  /// - Returns: what an engine did that declares itself deterministic and is not; `nil` where it is.
  private func repeated(
    _ asked: Asked, _ exercise: inout Exercise, _ answer: Answer, _ paths: Set<String>, _ start: CaseResult
  ) -> CaseResult? {
    func failing(_ message: String) -> CaseResult {
      var result = start
      result.status = .fail
      result.message = message
      return result
    }
    let (given, answered) = (exercise.fingerprints, answer.fingerprints(paths))
    exercise.reverseOperands()
    // What it says to this one is of no interest, a refusal included.
    let between = try? asked.engine.compute(exercise)
    let kept = answer.fingerprints(paths)
    if let path = paths.sorted().first(where: { answered[$0] != kept[$0] }) {
      return failing("the engine changed \(path) after it had answered with it, when it was asked for another case")
    }
    if let between, exercise.fingerprints != given, between.firstDifference(from: answer, in: paths) == nil,
      let stale = judgeUnchanged(between, exercise, asked)
    {
      return failing("the engine answered as before when other numbers were in the same memory: \(stale)")
    }
    exercise.reverseOperands()
    let again: Answer
    do throws(EngineError) { again = try asked.engine.compute(exercise) } catch { return failed(start, error) }
    guard let difference = again.firstDifference(from: answer, in: paths) else { return nil }
    let place = "\(difference.path)"
    guard let was = answer[difference.path], let now = again[difference.path], was.shape == now.shape,
      was.dtype == now.dtype
    else { return failing("declared deterministic, but \(place) has another shape or type when it is computed again") }
    let index = was.shape.index(ofOffset: difference.element).map(String.init).joined(separator: ",")
    return failing(
      "declared deterministic, but \(place)[\(index)] was \(was.described(at: difference.element)) and is "
        + "\(now.described(at: difference.element)) when it is computed again with another case between")
  }

  /// Whether an answer that did not change with the operands is right nevertheless, as that of a ReLU at negative numbers is.
  /// - Returns: what is wrong with it.
  private func judgeUnchanged(_ answer: Answer, _ exercise: Exercise, _ asked: Asked) -> String? {
    guard let definition, type(of: definition).trajectories.isEmpty,
      let right = try? definition.compute(definition.given(exercise, as: Double.self))
    else { return nil }
    var golden = GoldenCase(exercise, expected: Answer(right))
    golden.exercise.threads = 1
    let other = CaseVerifier(VerificationCase(file: item.file, oracle: .float64, golden: golden))
    let expected = golden.expected.filter { exercise.wanted.contains($0.key) }
    var result = CaseResult(
      file: item.file, name: item.golden.name, operation: golden.operation, fill: golden.fill.rawValue,
      engine: asked.description.name, dtype: asked.dtype.rawValue, status: .fail)
    let model = other.definition.flatMap { other.caseBounds($0, asked.description, asked.dtype).model }
    other.compare(answer, expected, exercise, model, asked.description, into: &result)
    return result.status == .pass ? nil : result.message
  }

  /// Why the engine need not be asked.
  private func unsupported(_ engine: EngineDescription, _ dtype: DType) -> String? {
    let operation = item.golden.operation
    let meant =
      item.golden.isCustom ? Problem.nearMiss(of: operation).map { "; did you mean the operation \($0)?" } ?? "" : ""
    if !engine.operations.isEmpty, !engine.operations.contains(operation) { return "no operation \(operation)\(meant)" }
    if engine.operations.isEmpty, item.golden.isCustom { return "no custom operation \(operation)\(meant)" }
    if !engine.dtypes.contains(dtype) { return "no \(dtype.rawValue)" }
    if dtype.isNarrow, item.golden.expectError == nil {
      guard let definition else { return "there is no reference of \(operation) to compute \(dtype.rawValue) with" }
      if !type(of: definition).trajectories.isEmpty {
        return "what each step amplifies is judged in float32 and float64 alone"
      }
      if engine.accumulate(of: operation).isNarrow, definition is any LayeredOperation {
        return "what sums in 16 bits do through many layers has no bound"
      }
    }
    if !engine.nonfinite, item.golden.expectError == nil, hasNonfinite(dtype) {
      return "NaN and infinities do not follow the definition"
    }
    if !engine.denormals, item.golden.expectError == nil, hasDenormals(dtype) { return "denormals are taken for zeros" }
    return nil
  }

  /// Whether any operand or expected value is a denormal of the type.
  private func hasDenormals(_ dtype: DType) -> Bool {
    let asked = exercise(dtype, wanted: [], passes: [.forward, .backward])
    let operands = [asked.inputs, asked.parameters, asked.buffers, asked.upstream].flatMap(\.values)
    return operands.contains(where: \.hasDenormals)
      || expectations(dtype).values.contains { expected in
        switch expected.value {
        case .whole(let tensor): tensor.converted(to: dtype).hasDenormals
        case .sampled(let sample):
          AnyTensor.float64(Tensor(shape: [sample.values.count], elements: sample.values)).converted(to: dtype)
            .hasDenormals
        }
      }
  }

  /// Whether any operand or expected value is NaN or infinite, in 16 bits after rounding to the type.
  private func hasNonfinite(_ dtype: DType) -> Bool {
    if item.hasNonfinite { return true }
    guard dtype.isNarrow else { return false }
    let asked = exercise(dtype, wanted: [], passes: [.forward, .backward])
    let operands = [asked.inputs, asked.parameters, asked.buffers, asked.upstream].flatMap(\.values)
    return operands.contains(where: \.hasNonfinite)
      || expectations(dtype).values.contains { expected in
        if case .whole(let tensor) = expected.value { tensor.converted(to: dtype).hasNonfinite } else { false }
      }
  }

  private func judgeRefusal(
    _ asked: Asked, _ category: ProblemError.Category, _ start: CaseResult
  ) -> CaseResult {
    var exercise = exercise(asked.dtype, wanted: [], passes: [.forward]).guarded
    var result = start
    for (index, count) in asked.threads.enumerated() {
      exercise.threads = count
      result = judgeRefusal(of: exercise, asked, category, start)
      let covered = asked.threads[..<index]
      guard result.status == .refused else { return result.naming(count, after: covered, of: asked.threads) }
    }
    result.threads = asked.threads
    return result
  }

  private func judgeRefusal(
    of exercise: Exercise, _ asked: Asked, _ category: ProblemError.Category, _ start: CaseResult
  ) -> CaseResult {
    var result = start
    do throws(EngineError) {
      _ = try asked.engine.compute(exercise)
      result.status = .fail
      result.message = "expected a refusal (\(category.rawValue)), got a result"
    } catch {
      switch error {
      case .refused(let found, _) where found == category.rawValue:
        result.status = .refused
      case .refused(let found, let message):
        let isBuiltIn = asked.description.isBuiltIn
        result.status = isBuiltIn ? .fail : .refused
        result.message = "refused as \(found), expected \(category.rawValue)" + (isBuiltIn ? " (\(message))" : "")
      default: return failed(result, error)
      }
    }
    return result
  }

  private func failed(_ start: CaseResult, _ error: EngineError) -> CaseResult {
    var result = start
    switch error {
    case .unsupported(let reason):
      result.status = .unsupported
      result.message = reason
    case .refused:
      result.status = .fail
      result.message = "expected a result, got a refusal: \(error)"
    case .failed:
      result.status = .error
      result.message = "\(error)"
    }
    return result
  }

  func compare(
    _ answer: Answer, _ expectations: [String: ExpectedTensor], _ exercise: Exercise, _ model: (any BoundModel)?,
    _ engine: EngineDescription, into result: inout CaseResult
  ) {
    for (path, expected) in expectations.sorted(by: { $0.key < $1.key }) {
      guard let comparison = comparison(of: path, expected, exercise, model, engine) else {
        result.tensors.append(
          TensorResult(
            path: path, shape: expected.shape.dimensions,
            problem: "no bound is known for \(path) of \(item.golden.operation): give it atol, rtol or max_ulp"))
        continue
      }
      result.tensors.append(comparison.compare(answer[path]))
    }
    let failing = result.tensors.filter { !$0.passes }
    result.status = failing.isEmpty ? .pass : .fail
    if let worst = failing.max(by: { $0.worstRatio < $1.worstRatio }) {
      result.message =
        worst.problem.isEmpty ? "\(worst.path) is wrong: \(worst.pattern)" : "\(worst.path): \(worst.problem)"
    }
  }

  /// How one tensor is compared; `nil` where nothing says what is allowed.
  func comparison(
    of path: String, _ expected: ExpectedTensor, _ exercise: Exercise, _ model: (any BoundModel)?,
    _ engine: EngineDescription
  ) -> TensorComparison? {
    let wantedType = exercise.wantedType(of: path)
    let rules = AllowanceRules(
      fill: item.golden.fill, candidate: wantedType, oracle: exercise.dtype.isNarrow ? .float64 : item.oracle,
      accumulate: engine.accumulate(of: item.golden.operation))
    let trajectories = definition.map { type(of: $0).trajectories } ?? []
    let singles = trajectories.first { path == "outputs/\($0)" }.flatMap { item.golden.referenceFloat32[$0] }
    guard let allowance = rules.allowance(for: path, expected: expected, model: model, singles: singles) else {
      return nil
    }
    var comparison = TensorComparison(
      path: path, expected: expected, allowance: allowance, dtype: wantedType, widening: model?.widening(of: path))
    // By how much Strassen's algorithm widened the whole is not known of a part.
    if !item.isPart || !engine.sums(of: item.golden.operation).contains(where: \.isStrassen) {
      comparison.distribution = rules.distribution(of: path, expected: expected, model: model, allowance: allowance)
    }
    return comparison
  }

  /// Each layer on its own: which one is at fault, and whether errors that cancel end to end are there at all.
  private func judgeLayers(
    _ model: (any BoundModel)?, _ asked: Asked, _ threads: [Int], into result: inout CaseResult
  ) {
    // In float64 the reference would be held against itself.
    // Of a part of what is timed, too: its layers were met by nobody.
    guard !item.isPart, let layers = (model as? NetworkBounds)?.capturedLayers,
      asked.dtype != .float64 || !(asked.description.isBuiltIn && asked.description.name == "reference")
    else { return }
    let judge = LayerJudge(
      engine: asked.engine, dtype: asked.dtype, parameters: item.golden.parameters, threads: threads, oracle: oracle,
      lanes: asked.description.isBuiltIn ? lanes : 1)
    let (record, count) = judge.judge(layers)
    result.layers = record
    guard let first = record.failures.first else { return }
    result.status = .fail
    result.message = "\(first.path) is wrong on its own: " + (first.problem.isEmpty ? first.pattern : first.problem)
    result.tensors += record.failures
    if let count { result = result.naming(count, after: threads.prefix { $0 != count }, of: asked.threads) }
  }
}

extension CaseResult {
  /// A result other than the one that was wanted, with the number of threads that it came with.
  /// - Parameters:
  ///   - count: of threads.
  ///   - covered: the counts that went well before.
  ///   - asked: all counts; where one thread is all, nothing needs to be said.
  fileprivate func naming(_ count: Int, after covered: some Sequence<Int>, of asked: [Int]) -> CaseResult {
    var named = self
    named.threads = covered + [count]
    guard asked != [1] else { return named }
    named.failingThreads = count
    if count > 1 { named.message = "with \(count) threads: \(message)" }
    return named
  }
}
