import Engines
import GoldenFiles
import Problems
import Reference
import Results
import Tensors

/// Holds every layer of a network on its own against its own bound, on what the layer met in the float64 run.
///
/// End to end a network amplifies rounding, so that its bounds are wide and a small defect of one layer may pass. Here each
/// layer gets the captured activations and cotangents, rounded to float32; what it must give is the reference's in float64 on
/// these same operands, and the network's end-to-end check against the golden file is what that reference rests on.
struct LayerJudge {
  let engine: any Engine
  let caseName: String
  let dtype: DType

  /// Failing tensors that a record keeps.
  private static let keptFailures = 8
  private static let oracle = ReferenceEngine()

  func judge(_ captured: CapturedLayers) -> LayerwiseRecord {
    var record = LayerwiseRecord()
    let description = engine.description
    for layer in captured.layers {
      let name = layer.layer.name
      let exercise = layer.exercise(dOutput: captured.cotangents[name], state: captured.state).rounded
      guard description.operations.isEmpty || description.operations.contains(exercise.operation) else {
        record.unsupported += 1
        continue
      }
      record.judged += 1
      let stage = Self.stage(of: name)
      for tensor in tensors(of: exercise) {
        var tensor = tensor
        tensor.path = "layers/\(name)/\(tensor.path)"
        record.compared += tensor.compared
        if !tensor.passes, record.failures.count < Self.keptFailures { record.failures.append(tensor) }
        // A sum of two is rounded once, and uses its whole bound.
        guard !tensor.passes || exercise.operation != AddProblem.operation else { continue }
        if record.worst[stage].map({ tensor.worstRatio > $0.worstRatio }) ?? true { record.worst[stage] = tensor }
      }
    }
    return record
  }

  /// - Parameter exercise: in double precision.
  private func tensors(of exercise: Exercise) -> [TensorResult] {
    func wrong(_ problem: String) -> [TensorResult] {
      [TensorResult(path: "outputs/y", shape: [], failing: 1, worstRatio: .infinity, problem: problem)]
    }
    let description = engine.description
    var asked = exercise.converted(to: dtype)
    if !description.passes.contains(.backward) { asked.passes = [.forward] }
    let (expected, answer): (Answer, Answer)
    do throws(EngineError) {
      expected = try Self.oracle.compute(exercise)
      answer = try engine.compute(asked)
    } catch {
      return wrong("\(error)")
    }
    guard let problem = (try? exercise.problem()) ?? nil else { return wrong("no problem describes this layer") }
    var wanted: [String: AnyTensor] = [:]
    // The winners of a max pool are what its gradient shows.
    for (name, tensor) in expected.outputs where name == "y" { wanted["outputs/\(name)"] = tensor }
    for (name, tensor) in expected.buffersAfter { wanted["buffers_after/\(name)"] = tensor }
    if asked.passes.contains(.backward) {
      for (name, tensor) in expected.gradients { wanted["gradients/\(name)"] = tensor }
    }
    let algorithms = description.algorithms
    let model: (any BoundModel)? =
      if let convolution = problem as? Conv2dProblem, algorithms.isEmpty {
        LayerConvolutionBounds(convolution, exercise, answer: expected)
      } else {
        BoundModels.make(for: exercise, problem: problem, wanted: Set(wanted.keys), algorithms: algorithms)
      }
    // An average pool hands the last batch norm the same cotangent at every position. Adding one value over and over rounds the
    // same way for long stretches, which the statistical bound takes for independent: the rigorous one holds there.
    let fill: Fill = exercise.operation == BatchNorm2dProblem.operation ? .adversarial : .random
    let rules = AllowanceRules(fill: fill, candidate: dtype, oracle: .float64)
    return wanted.filter { !description.omits.contains($0.key) }.sorted { $0.key < $1.key }.map { path, tensor in
      let expected = ExpectedTensor(tensor)
      guard let allowance = rules.allowance(for: path, expected: expected, model: model) else {
        return TensorResult(path: path, shape: expected.shape.dimensions, problem: "no bound is known")
      }
      return TensorComparison(path: path, expected: expected, allowance: allowance, dtype: dtype)
        .compare(answer[path])
    }
  }

  /// `stem`, `stage1` … `stage4`, `head`.
  private static func stage(of layer: String) -> String {
    if layer.hasPrefix("layer"), let digit = layer.dropFirst(5).first, digit.isNumber { return "stage\(digit)" }
    return ["conv1", "bn1", "relu", "relu1", "maxpool"].contains(layer) ? "stem" : "head"
  }
}

extension Exercise {
  /// Every operand rounded to what float32 can hold, so that all precisions start from the same numbers.
  fileprivate var rounded: Exercise { converted(to: .float32).converted(to: dtype) }
}
