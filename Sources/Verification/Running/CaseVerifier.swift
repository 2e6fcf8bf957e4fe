import Engines
import Foundation
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

/// A case with the file it came from.
public struct VerificationCase: Sendable {
  public let file: String
  public let oracle: DType
  public let golden: GoldenCase

  public init(file: String, oracle: DType, golden: GoldenCase) {
    self.file = file
    self.oracle = oracle
    self.golden = golden
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

  /// A fingerprint of every bit, to tell whether an engine wrote to what it should only read.
  var fingerprint: UInt64 {
    // A product carries differences upwards only, and that of a double's sign nowhere: a second one would undo it. The upper
    // half is therefore folded into the lower one each time.
    func mixed(_ bits: some Sequence<UInt64>) -> UInt64 {
      bits.reduce(0xCBF2_9CE4_8422_2325) { hash, word in
        let product = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 32
      }
    }
    return switch self {
    case .float32(let tensor): mixed(tensor.elements.lazy.map { UInt64($0.bitPattern) })
    case .float64(let tensor): mixed(tensor.elements.lazy.map(\.bitPattern))
    case .packed(let tensor): mixed(tensor.patterns.elements.lazy.map { UInt64($0) })
    case .int64(let tensor): mixed(tensor.elements.lazy.map { UInt64(bitPattern: $0) })
    }
  }
}

extension Exercise {
  /// The same tensors with a guard band behind each of them.
  fileprivate var guarded: Exercise {
    var changed = self
    changed.inputs = inputs.mapValues(GuardBand.behind)
    changed.parameters = parameters.mapValues(GuardBand.behind)
    changed.buffers = buffers.mapValues(GuardBand.behind)
    changed.upstream = upstream.mapValues(GuardBand.behind)
    return changed
  }

  /// Fingerprints of everything that an engine is given.
  var fingerprints: [String: UInt64] {
    var all: [String: UInt64] = [:]
    for (group, tensors) in [
      ("inputs", inputs), ("parameters", parameters), ("buffers", buffers), ("upstream", upstream),
    ] {
      for (name, tensor) in tensors { all["\(group)/\(name)"] = tensor.fingerprint }
    }
    return all
  }
}

/// Holds one case against engines; the bounds are computed once for all of them.
public struct CaseVerifier: Sendable {
  public let item: VerificationCase
  private let definition: (any Operations.Operation)?
  private let models: BoundModelCache
  private let narrow: NarrowCases

  public init(_ item: VerificationCase) {
    self.item = item
    // The loader validated it already; a case that it could not validate has no bound.
    definition =
      item.golden.expectError == nil ? (try? OperationRegistry.operation(of: item.golden.exercise)) ?? nil : nil
    models = BoundModelCache()
    narrow = NarrowCases()
  }

  /// What an engine is asked for.
  private func exercise(_ dtype: DType, wanted: Set<String>, passes: Set<Pass>) -> Exercise {
    var exercise = item.golden.exercise
    exercise.passes = passes
    exercise.wanted = wanted
    exercise.singles = definition?.staysSingle ?? []
    if !passes.contains(.backward) { exercise.upstream = [:] }
    return exercise.converted(to: dtype)
  }

  /// What results in a precision are held against: the file's, or in 16 bits the reference's in float64 on operands of that type.
  private func expectations(_ dtype: DType) -> [String: ExpectedTensor] {
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

  /// - Returns: the verdict; nothing that the engine does ends the run.
  public func verify(_ engine: any Engine, dtype: DType) -> CaseResult {
    let started = ContinuousClock.now
    var result = judge(engine, dtype)
    let elapsed = ContinuousClock.now - started
    result.seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    return result
  }

  private func judge(_ engine: any Engine, _ dtype: DType) -> CaseResult {
    let description = engine.description
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
    if let category = item.golden.expectError {
      return judgeRefusal(engine, dtype, category, result)
    }
    let expected = expectations(dtype)
    if let missing = item.golden.expected.keys.filter({ expected[$0] == nil }).min() {
      result.status = .error
      result.message = "the reference does not compute \(missing) in \(dtype.rawValue)"
      return result
    }
    let omitted = expected.keys.filter { !description.produces($0, of: item.golden.operation) }
    result.omitted = omitted.sorted()
    let wanted = Set(expected.keys).subtracting(omitted)
    guard !wanted.isEmpty else {
      result.message = expected.isEmpty ? "the case expects nothing" : "nothing is left that the engine produces"
      return result
    }
    var passes: Set<Pass> = [.forward]
    if wanted.contains(where: { $0.hasPrefix("gradients/") }) { passes.insert(.backward) }
    let exercise = exercise(dtype, wanted: wanted, passes: passes).guarded
    let before = exercise.fingerprints
    let answer: Answer
    do throws(EngineError) {
      answer = try engine.compute(exercise)
    } catch {
      return failed(result, error)
    }
    compare(answer, expected.filter { wanted.contains($0.key) }, exercise, engine, into: &result)
    let after = exercise.fingerprints
    if let changed = before.keys.sorted().first(where: { before[$0] != after[$0] }) {
      result.status = .fail
      result.message = "the engine changed \(changed), which it may only read"
    }
    return result
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
      if engine.accumulate.isNarrow, definition is any LayeredOperation {
        return "what sums in 16 bits do through many layers has no bound"
      }
    }
    if !engine.nonfinite, item.golden.expectError == nil, hasNonfinite(dtype) {
      return "NaN and infinities do not follow the definition"
    }
    return nil
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
    _ engine: any Engine, _ dtype: DType, _ category: ProblemError.Category, _ start: CaseResult
  ) -> CaseResult {
    var result = start
    let exercise = exercise(dtype, wanted: [], passes: [.forward]).guarded
    do throws(EngineError) {
      _ = try engine.compute(exercise)
      result.status = .fail
      result.message = "expected a refusal (\(category.rawValue)), got a result"
    } catch {
      switch error {
      case .refused(let found, _) where found == category.rawValue:
        result.status = .refused
      case .refused(let found, let message):
        let isBuiltIn = engine.description.isBuiltIn
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

  private func compare(
    _ answer: Answer, _ expectations: [String: ExpectedTensor], _ exercise: Exercise, _ asked: any Engine,
    into result: inout CaseResult
  ) {
    let (engine, dtype) = (asked.description, exercise.dtype)
    let model = definition.flatMap { boundModel($0, engine, dtype) }
    let trajectories = definition.map { type(of: $0).trajectories } ?? []
    for (path, expected) in expectations.sorted(by: { $0.key < $1.key }) {
      let wantedType = exercise.wantedType(of: path)
      let rules = AllowanceRules(
        fill: item.golden.fill, candidate: wantedType, oracle: dtype.isNarrow ? .float64 : item.oracle,
        accumulate: engine.accumulate)
      let singles = trajectories.first { path == "outputs/\($0)" }.flatMap { item.golden.referenceFloat32[$0] }
      guard let allowance = rules.allowance(for: path, expected: expected, model: model, singles: singles) else {
        result.tensors.append(
          TensorResult(
            path: path, shape: expected.shape.dimensions,
            problem: "no bound is known for \(path) of \(item.golden.operation): give it atol, rtol or max_ulp"))
        continue
      }
      let comparison = TensorComparison(path: path, expected: expected, allowance: allowance, dtype: wantedType)
      result.tensors.append(comparison.compare(answer[path]))
    }
    let failing = result.tensors.filter { !$0.passes }
    result.status = failing.isEmpty ? .pass : .fail
    if let worst = failing.max(by: { $0.worstRatio < $1.worstRatio }) {
      result.message =
        worst.problem.isEmpty ? "\(worst.path) is wrong: \(worst.pattern)" : "\(worst.path): \(worst.problem)"
    }
    // In float64 the reference would be held against itself.
    guard let layers = (model as? NetworkBounds)?.capturedLayers,
      dtype != .float64 || !(engine.isBuiltIn && engine.name == "reference")
    else { return }
    judge(layers, by: asked, dtype, into: &result)
  }

  /// Each layer on its own: which one is at fault, and whether errors that cancel end to end are there at all.
  private func judge(
    _ layers: CapturedLayers, by engine: any Engine, _ dtype: DType, into result: inout CaseResult
  ) {
    let record = LayerJudge(engine: engine, caseName: item.golden.name, dtype: dtype).judge(layers)
    result.layers = record
    guard let first = record.failures.first else { return }
    result.status = .fail
    result.message = "\(first.path) is wrong on its own: " + (first.problem.isEmpty ? first.pattern : first.problem)
    result.tensors += record.failures
  }

  private func boundModel(
    _ definition: any Operations.Operation, _ engine: EngineDescription, _ dtype: DType
  ) -> (any BoundModel)? {
    let key = BoundModelCache.Key(algorithms: engine.algorithms, narrow: dtype.isNarrow ? dtype : nil)
    return models.model(for: key) {
      // In 16 bits the operands are other numbers.
      let asked = exercise(
        key.narrow ?? .float64, wanted: Set(item.golden.expected.keys), passes: [.forward, .backward])
      var given: Given<Double> = definition.given(asked)
      if let narrow = key.narrow { given.storage = narrow }
      return definition.bounds(of: given, values: nil, algorithms: engine.algorithms)
    }
  }
}

/// What a case expects in types of 16 bits.
private final class NarrowCases: @unchecked Sendable {
  // The lock guards the dictionary.
  private let lock = NSLock()
  private var known: [DType: [String: ExpectedTensor]] = [:]

  func expectations(_ dtype: DType, make: () -> [String: ExpectedTensor]) -> [String: ExpectedTensor] {
    lock.withLock {
      if let known = known[dtype] { return known }
      let made = make()
      known[dtype] = made
      return made
    }
  }
}

/// Bound models of one case by the engine's algorithms and, in 16 bits, by the type.
private final class BoundModelCache: @unchecked Sendable {
  struct Key: Hashable {
    let algorithms: Set<SumAlgorithm>
    /// `nil` for float32 and float64, whose operands are the same.
    let narrow: DType?
  }

  // The lock guards the dictionary; models themselves never change.
  private let lock = NSLock()
  private var models: [Key: (any BoundModel)?] = [:]

  func model(for key: Key, make: () -> (any BoundModel)?) -> (any BoundModel)? {
    lock.withLock {
      if let model = models[key] { return model }
      // A network's bounds are quickly had from its spreads, and as large as its gradients.
      let model = make().map { $0 is NetworkBounds ? $0 : RememberedBounds($0) }
      models[key] = .some(model)
      return model
    }
  }
}

/// A model that computes each bound once: the oracle's float64 bounds serve every candidate.
private final class RememberedBounds: BoundModel, @unchecked Sendable {
  private struct Key: Hashable {
    let path: String
    let rounding: Rounding
  }

  // The lock guards the dictionary.
  private let lock = NSLock()
  private let model: any BoundModel
  private var known: [Key: ElementBounds?] = [:]

  init(_ model: any BoundModel) { self.model = model }

  func isExact(_ path: String) -> Bool { model.isExact(path) }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    let key = Key(path: path, rounding: rounding)
    if let bounds = lock.withLock({ known[key] }) { return bounds }
    let bounds = model.bounds(of: path, in: rounding)
    lock.withLock { known[key] = .some(bounds) }
    return bounds
  }
}
