import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

/// Holds every layer of a network on its own against its own bound, on what the layer met in the float64 run.
///
/// End to end a network amplifies rounding, so that its bounds are wide and a small defect of one layer may pass. Here each
/// layer gets the captured activations and cotangents, rounded to float32 (in 16 bits to that type); what it must give is the reference's in float64 on
/// these same operands, and the network's end-to-end check against the golden file is what that reference rests on.
struct LayerJudge {
  let engine: any Engine
  let dtype: DType
  /// The network's parameters, as they are stored.
  let parameters: [String: AnyTensor]
  /// The counts that each layer is computed with.
  var threads = [1]
  /// Computes what the layers must give.
  var oracle = Oracle.blocked
  /// Layers that are judged at once.
  var lanes = 1

  /// Failing tensors that a record keeps.
  private static let keptFailures = 8

  /// - Returns: what was found, and with how many threads a tensor is wrong.
  func judge(_ captured: CapturedLayers) -> (record: LayerwiseRecord, failingThreads: Int?) {
    var record = LayerwiseRecord()
    var failingThreads: Int?
    let verdicts = parallelMap(captured.layers.count, threads: lanes) { verdict(on: captured.layers[$0], of: captured) }
    for (layer, verdict) in zip(captured.layers.map(\.layer), verdicts) {
      guard let verdict else {
        record.unsupported += 1
        continue
      }
      record.judged += 1
      let judgement = type(of: layer.problem.definition).judgementAsLayer
      failingThreads = failingThreads ?? verdict.failingThreads
      for tensor in verdict.tensors {
        var tensor = tensor
        tensor.path = "layers/\(layer.name)/\(tensor.path)"
        record.compared += tensor.compared
        if !tensor.passes, record.failures.count < Self.keptFailures { record.failures.append(tensor) }
        guard !tensor.passes || judgement.countsInWorst else { continue }
        if record.worst[layer.stage].map({ tensor.worstRatio > $0.worstRatio }) ?? true {
          record.worst[layer.stage] = tensor
        }
      }
    }
    return (record, failingThreads)
  }

  private struct Verdict: Sendable {
    var tensors: [TensorResult]
    /// With how many threads a tensor is wrong.
    var failingThreads: Int?
  }

  /// - Returns: `nil` for a layer that the engine does not have.
  private func verdict(on layer: LayerRecord<Double>, of captured: CapturedLayers) -> Verdict? {
    let description = engine.description
    let name = layer.layer.name
    var state = captured.state
    for parameter in layer.layer.parameters { state.parameters[parameter.name] = parameters[parameter.name]?.doubles }
    let exercise = rounded(layer.exercise(dOutput: captured.cotangents[name], state: state), layer.layer)
    guard description.operations.isEmpty || description.operations.contains(exercise.operation) else { return nil }
    let (tensors, count) = tensors(of: exercise, layer.layer.problem.definition)
    return Verdict(tensors: tensors, failingThreads: count)
  }

  /// - Parameter exercise: in double precision.
  /// - Returns: what is wrong, with the number of threads that it is wrong with; else what the last of them gave.
  private func tensors(of exercise: Exercise, _ definition: any Operation) -> ([TensorResult], failingThreads: Int?) {
    func wrong(_ problem: String) -> [TensorResult] {
      [TensorResult(path: "outputs/y", shape: [], failing: 1, worstRatio: .infinity, problem: problem)]
    }
    let description = engine.description
    var asked = exercise.converted(to: dtype)
    asked.name = Exercise.neutralName
    if !description.passes.contains(.backward) { asked.passes = [.forward] }
    let found: Found<Double>
    do throws(ProblemError) { found = try definition.compute(given(exercise, definition)) } catch {
      return (wrong("\(error)"), nil)
    }
    let wanted = wanted(of: Answer(found), asked)
    var bounded = exercise
    bounded.wanted = Set(wanted.keys)
    var given = given(bounded, definition)
    if dtype.isNarrow { given.storage = dtype }
    let model = definition.bounds(of: given, values: found, algorithms: description.sums(of: exercise.operation))
    var known: (answer: Answer, tensors: [TensorResult])?
    for count in threads {
      asked.threads = count
      let answer: Answer
      do throws(EngineError) { answer = try engine.compute(asked) } catch { return (wrong("\(error)"), count) }
      if let known, answer.firstDifference(from: known.answer, in: bounded.wanted) == nil { continue }
      let tensors = compare(answer, wanted, asked, definition, model)
      if tensors.contains(where: { !$0.passes }) { return (tensors, count) }
      known = (answer, tensors)
    }
    return (known?.tensors ?? [], nil)
  }

  private func given(_ exercise: Exercise, _ definition: any Operation) -> Given<Double> {
    var given: Given<Double> = definition.given(exercise)
    given.oracle = oracle
    return given
  }

  private func wanted(of expected: Answer, _ asked: Exercise) -> [String: AnyTensor] {
    var wanted: [String: AnyTensor] = [:]
    // The winners of a max pool are what its gradient shows.
    for (name, tensor) in expected.outputs where name == "y" { wanted["outputs/\(name)"] = tensor }
    for (name, tensor) in expected.buffersAfter { wanted["buffers_after/\(name)"] = tensor }
    if asked.passes.contains(.backward) {
      for (name, tensor) in expected.gradients { wanted["gradients/\(name)"] = tensor }
    }
    return wanted
  }

  private func compare(
    _ answer: Answer, _ wanted: [String: AnyTensor], _ asked: Exercise, _ definition: any Operation,
    _ model: (any BoundModel)?
  ) -> [TensorResult] {
    let description = engine.description
    let produced = wanted.filter { description.produces($0.key, of: asked.operation) }
    return produced.sorted { $0.key < $1.key }.map { path, tensor in
      let (expected, type) = (ExpectedTensor(tensor), asked.wantedType(of: path))
      let rules = AllowanceRules(
        fill: Swift.type(of: definition).judgementAsLayer.fill, candidate: type, oracle: .float64,
        accumulate: description.accumulate(of: asked.operation))
      guard let allowance = rules.allowance(for: path, expected: expected, model: model) else {
        return TensorResult(path: path, shape: expected.shape.dimensions, problem: "no bound is known")
      }
      return TensorComparison(
        path: path, expected: expected, allowance: allowance, dtype: type, widening: model?.widening(of: path)
      ).compare(answer[path])
    }
  }

  /// Every operand rounded to what float32, or a narrower type under judgement, can hold: all start from the same numbers.
  private func rounded(_ exercise: Exercise, _ layer: NetworkLayer) -> Exercise {
    var rounded = exercise
    rounded.singles = layer.problem.definition.staysSingle
    let narrowest = dtype.isNarrow ? dtype : .float32
    return rounded.converted(to: .float32).converted(to: narrowest).converted(to: exercise.dtype)
  }
}
