import Engines
import GoldenFiles
import Problems
import Results
import Tensors

/// What can be checked of one golden case that has gradients: the file's own values against the derivatives of the
/// reference's forward, and an engine's backward pass at the case's operands.
public struct GoldenGradients: Sendable {
  public let golden: GoldenCase
  /// The type that the file's expected values were computed in.
  public let oracle: DType

  /// - Returns: `nil` for a case without gradients.
  public init?(_ golden: GoldenCase, oracle: DType) {
    guard golden.expectError == nil, !golden.gradients.isEmpty else { return nil }
    self.golden = golden
    self.oracle = oracle
  }

  private enum Situation {
    case ready(any OperationProblem, NamedTensors, NamedTensors)
    case unsupported(String)
  }

  private func situation() -> Situation {
    let problem: (any OperationProblem)?
    do {
      problem = try Problem.make(operation: golden.operation, attributes: golden.attributes, operands: golden.operands)
    } catch { return .unsupported("\(error)") }
    guard let problem else { return .unsupported("the reference has no '\(golden.operation)'") }
    let groups = [golden.inputs, golden.parameters, golden.buffers]
    var operands: NamedTensors = [:]
    for (name, tensor) in groups.flatMap({ $0 }) where tensor.dtype != .int64 { operands[name] = tensor.doubles }
    let cotangents = golden.upstream.mapValues(\.doubles)
    let all = operands.merging(cotangents) { first, _ in first }
    if let (name, _) = all.sorted(by: { $0.key < $1.key }).first(where: { !$0.value.elements.allSatisfy(\.isFinite) }) {
      return .unsupported("\(name) is not finite: there is no derivative there")
    }
    if let (name, _) = operands.sorted(by: { $0.key < $1.key }).first(where: { $0.value.count == 0 }) {
      return .unsupported("\(name) has no elements")
    }
    for (name, expected) in golden.outputs.sorted(by: { $0.key < $1.key }) {
      guard case .whole(let tensor) = expected.value, !expected.isInteger else { continue }
      if !tensor.doubles.elements.allSatisfy(\.isFinite) {
        return .unsupported("\(name) is not finite: there is no derivative there")
      }
    }
    return .ready(problem, operands, cotangents)
  }

  /// Of a tensor that is stored as samples, how many are looked at: each is a column of its own.
  static let sampleLimit = 32

  private func function(
    _ problem: any OperationProblem, _ operands: NamedTensors
  ) throws -> CheckedFunction {
    guard var network = ReferenceNetwork(problem) else {
      return CheckedFunction(
        ReferenceLayer(problem, classIndices: golden.inputs["target"]?.integers), operands: operands, precision: oracle)
    }
    network.gates = try network.gates(at: operands)
    return CheckedFunction(
      network, name: golden.name, operands: operands, work: problem.multiplyAccumulates, precision: oracle)
  }

  /// The gradients that the file holds, under the cotangents that it holds.
  public func storedRecord(options: GradientCheck.Options) -> GradientRecord {
    switch situation() {
    case .unsupported(let reason): return unsupported("golden file", oracle, options, reason)
    case .ready(let problem, let operands, let cotangents):
      var function: CheckedFunction
      do { function = try self.function(problem, operands) } catch {
        return unsupported("golden file", oracle, options, "\(error)")
      }
      var stored: NamedTensors = [:]
      for (name, expected) in golden.gradients {
        switch expected.value {
        case .whole(let tensor): stored[name] = tensor.doubles
        case .sampled(let sample):
          guard !(problem is ResNetProblem) else {
            return unsupported(
              "golden file", oracle, options, "samples of a network; --model takes a direction of every tensor")
          }
          stored[name] = Tensor(zeros: sample.shape)
          let count = options.exhaustive ? sample.indices.count : min(sample.indices.count, Self.sampleLimit)
          let chosen = (0..<count).map { $0 * sample.indices.count / count }
          for number in chosen { stored[name]?.elements[sample.indices[number]] = sample.values[number] }
          function.samples[name] = chosen.map { sample.indices[$0] }
        }
      }
      function.name = golden.name
      function.checked = stored.keys.sorted()
      let values = stored
      function.measuredBackward = function.backward
      function.backward = { _, _ in values }
      function.layerwise = nil
      // Stored values belong to one cotangent: integers of our own have no gradient in the file.
      function.linear = []
      var options = options
      options.contracts = false
      // Goldens hold what no step suits (denormals, 1e30, means far beyond the deviation); duals need none.
      options.differences = false
      options.cotangent = cotangents
      var record = GradientCheck(function, options: options).run()
      record.engine = "golden file"
      return record
    }
  }

  /// An engine's backward pass.
  public func record(
    of engine: any Engine, dtype: DType, options: GradientCheck.Options
  ) -> GradientRecord {
    let name = engine.description.name
    switch situation() {
    case .unsupported(let reason): return unsupported(name, dtype, options, reason)
    case .ready(let problem, let operands, let cotangents):
      let exercise = Exercise(
        name: golden.name, operation: golden.operation, attributes: golden.attributes,
        inputs: golden.inputs.mapValues { $0.converted(to: dtype) },
        parameters: golden.parameters.mapValues { $0.converted(to: dtype) },
        buffers: golden.buffers.mapValues { $0.converted(to: dtype) }, dtype: dtype)
      var options = options
      options.differences = false
      options.cotangent = cotangents
      let function: CheckedFunction
      if var network = ReferenceNetwork(problem) {
        do { network.gates = try network.gates(at: operands) } catch {
          return unsupported(name, dtype, options, "\(error)")
        }
        function = CheckedFunction(
          engine: engine, exercise: exercise, network: network, operands: operands, work: problem.multiplyAccumulates)
      } else {
        function = CheckedFunction(engine: engine, exercise: exercise, problem: problem, operands: operands)
      }
      var record = GradientCheck(function, options: options).run()
      record.engine = name
      return record
    }
  }

  private func unsupported(
    _ engine: String, _ dtype: DType, _ options: GradientCheck.Options, _ reason: String
  ) -> GradientRecord {
    var record = GradientRecord(name: golden.name, engine: engine, dtype: dtype.rawValue, seed: options.seed)
    record.verdict = .unsupported
    record.reason = reason
    return record
  }
}
