import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

/// What can be checked of one golden case that has gradients: the file's own values against the derivatives of the
/// reference's forward, and an engine's backward pass at the case's operands.
public struct GoldenGradients: Sendable {
  public let golden: GoldenCase
  /// The type that the file's expected values were computed in.
  public let oracle: DType

  /// - Returns: `nil` for a case without gradients; ``nothingToCheck(in:)`` says why.
  public init?(_ golden: GoldenCase, oracle: DType) {
    guard Self.nothingToCheck(in: golden) == nil else { return nil }
    self.golden = golden
    self.oracle = oracle
  }

  /// Why a case has no gradients to check; `nil` where it has. Of a custom operation cotangents are enough, since an engine
  /// that has it says what its gradients are.
  public static func nothingToCheck(in golden: GoldenCase) -> String? {
    if golden.expectError != nil { return "it must be refused" }
    if golden.upstream.isEmpty { return "it has no cotangents (upstream/…)" }
    return golden.gradients.isEmpty && !golden.isCustom ? "it has no gradients/…" : nil
  }

  private enum Subject {
    case known(any GenericFunction)
    /// The reference does not have it.
    case custom
  }

  private enum Situation {
    case ready(Subject, operands: NamedTensors, cotangents: NamedTensors)
    case settled(GradientVerdict, because: String)
  }

  private func situation(_ options: GradientCheck.Options) -> Situation {
    do {
      // Whether it is worth it is known before a network's parameters are turned into doubles.
      var subject = try subject(options)
      let operands = Given<Double>(golden.exercise, golden.exercise.operands).operands
      let cotangents = golden.upstream.mapValues(\.doubles)
      if let settled = obstacle(operands, cotangents) { return settled }
      if case .known(var network as NetworkFunction) = subject {
        try network.freezeGates(at: operands)
        subject = .known(network)
      }
      return .ready(subject, operands: operands, cotangents: cotangents)
    } catch { return .settled(.unsupported, because: "\(error)") }
  }

  /// Class indices, row numbers and counts.
  private var integers: [String: Tensor<Int64>] {
    [golden.inputs, golden.parameters, golden.buffers].reduce(into: [:]) { integers, group in
      integers.merge(group.compactMapValues(\.integers)) { first, _ in first }
    }
  }

  /// Why there is nothing to decide at these values.
  private func obstacle(_ operands: NamedTensors, _ cotangents: NamedTensors) -> Situation? {
    let all = operands.merging(cotangents) { first, _ in first }
    if let (name, _) = all.sorted(by: { $0.key < $1.key }).first(where: { !$0.value.elements.allSatisfy(\.isFinite) }) {
      return .settled(.unsupported, because: "\(name) is not finite: there is no derivative there")
    }
    if let (name, _) = operands.sorted(by: { $0.key < $1.key }).first(where: { $0.value.count == 0 }) {
      return .settled(.unsupported, because: "\(name) has no elements")
    }
    for (name, expected) in golden.outputs.sorted(by: { $0.key < $1.key }) {
      guard case .whole(let tensor) = expected.value, !expected.isInteger else { continue }
      if !tensor.doubles.elements.allSatisfy(\.isFinite) {
        return .settled(.unsupported, because: "\(name) is not finite: there is no derivative there")
      }
    }
    guard cotangents.values.allSatisfy({ $0.elements.allSatisfy { $0 == 0 } }) else { return nil }
    let names = cotangents.keys.sorted().map { "upstream/\($0)" }.joined(separator: ", ")
    return .settled(
      .inconclusive,
      because: "\(names): expected some value that is not 0, found zeros alone, under which every backward pass gives "
        + "zeros and no gradient shows")
  }

  private func subject(_ options: GradientCheck.Options) throws -> Subject {
    guard let problem = try golden.exercise.problem() else { return .custom }
    let integers = integers
    guard var network = try NetworkFunction(problem, integers: integers) else {
      return .known(OperationFunction(problem, integers: integers))
    }
    if network.isWhole {
      network.layers.outputs = Set(golden.upstream.keys)
      try requireAffordable(network, options)
    }
    return .known(network)
  }

  /// Of a tensor that is stored as samples, how many are looked at: each is a column of its own.
  static let sampleLimit = 32

  /// Multiply-accumulates that the check of a whole network may cost without `--exhaustive`.
  static let networkLimit = 1e10

  /// Eight tensors share a pass, which carries a value and eight tangents from the first of them on, twice.
  private func requireAffordable(_ network: NetworkFunction, _ options: GradientCheck.Options) throws {
    let tensors = network.layers.checkedOperands.count
    let passes = Double((tensors + 7) / 8)
    let work = passes * 2 * 9 * 0.5 * Double(network.work)
    guard work > Self.networkLimit, !options.exhaustive else { return }
    throw GradientCheckError.unsupported(
      "a direction of each of the network's \(tensors) tensors costs \(GradientReport.number(work)) multiply-accumulates, "
        + "more than \(GradientReport.number(Self.networkLimit)): --exhaustive takes them all the same")
  }

  /// The gradients that the file holds, under the cotangents that it holds.
  public func storedRecord(options: GradientCheck.Options) -> GradientRecord {
    switch situation(options) {
    case .settled(let verdict, let reason): return settled("golden file", oracle, options, verdict, reason)
    case .ready(.custom, _, _):
      return settled(
        "golden file", oracle, options, .unsupported,
        "the reference has no '\(golden.operation)': an engine that has it (--engine NAME='COMMAND …') is held against finite "
          + "differences of its own forward pass")
    case .ready(.known(let subject), let operands, let cotangents):
      let function = CheckedFunction(subject, name: golden.name, at: operands, by: .code(oracle))
      return storedRecord(function, cotangents, self.options(options, for: subject))
    }
  }

  private func storedRecord(
    _ reference: CheckedFunction, _ cotangents: NamedTensors, _ options: GradientCheck.Options
  ) -> GradientRecord {
    var function = reference
    var stored: NamedTensors = [:]
    var samples: [String: [Int]] = [:]
    for (name, expected) in golden.gradients {
      switch expected.value {
      case .whole(let tensor): stored[name] = tensor.doubles
      case .sampled(let sample):
        stored[name] = Tensor(zeros: sample.shape)
        // A whole network's samples share one direction.
        let isDear = options.workLimit > 0 && !options.exhaustive
        let count = isDear ? min(sample.indices.count, Self.sampleLimit) : sample.indices.count
        let chosen = (0..<count).map { $0 * sample.indices.count / count }
        for number in chosen { stored[name]?.elements[sample.indices[number]] = sample.values[number] }
        samples[name] = chosen.map { sample.indices[$0] }
      }
    }
    // In the order of the layers: neighbours share a pass, which begins at the first of them.
    let known = reference.checked.filter { stored[$0] != nil }
    function.checked = known + stored.keys.filter { !known.contains($0) }.sorted()
    function.hasIndependentOperands = golden.fill == .random
    let values = stored
    function.stored = StoredGradients(samples: samples, origin: function.backward)
    function.backward = { _, _ in values }
    var options = options
    options.contracts = false
    // Goldens hold what no step suits (denormals, 1e30, means far beyond the deviation); duals need none.
    options.differences = false
    options.cotangent = cotangents
    var record = GradientCheck(function, options: options).run()
    record.engine = "golden file"
    return record
  }

  /// An engine's backward pass.
  /// - Parameters:
  ///   - engine: what is checked.
  ///   - dtype: the precision that it is asked in.
  ///   - threads: that it is asked with.
  ///   - options: how derivatives are determined.
  public func record(
    of engine: any Engine, dtype: DType, threads: Int = 1, options: GradientCheck.Options
  ) -> GradientRecord {
    let name = engine.description.name
    var exercise = golden.exercise.converted(to: dtype)
    exercise.name = Exercise.neutralName
    exercise.threads = threads
    var options = options
    options.differences = false
    var function: CheckedFunction
    switch situation(options) {
    case .settled(let verdict, let reason): return settled(name, dtype, options, verdict, reason)
    case .ready(let subject, let operands, let cotangents):
      options.cotangent = cotangents
      switch subject {
      case .known(let subject):
        options = self.options(options, for: subject)
        function = CheckedFunction(subject, name: golden.name, at: operands, by: .engine(engine, exercise))
      case .custom:
        guard engine.description.operations.contains(golden.operation) else {
          return settled(name, dtype, options, .unsupported, "no custom operation \(golden.operation)")
        }
        let differentiable = Set(golden.inputs.keys).union(golden.parameters.keys).intersection(operands.keys)
        function = CheckedFunction(
          engine: engine, custom: exercise, named: golden.name, at: operands, outputs: Set(cotangents.keys),
          checked: (golden.gradients.isEmpty ? differentiable : Set(golden.gradients.keys)).sorted())
      }
    }
    function.hasIndependentOperands = golden.fill == .random
    var record = GradientCheck(function, options: options).run()
    record.engine = name
    return record
  }

  /// Every tensor of a whole network by projections: eight of them share a pass, where single elements of each would take
  /// one more.
  private func options(_ options: GradientCheck.Options, for subject: any GenericFunction) -> GradientCheck.Options {
    var options = options
    if let network = subject as? NetworkFunction, network.isWhole {
      options.workLimit = 0
      options.exhaustive = false
    }
    return options
  }

  private func settled(
    _ engine: String, _ dtype: DType, _ options: GradientCheck.Options, _ verdict: GradientVerdict, _ reason: String
  ) -> GradientRecord {
    var record = GradientRecord(name: golden.name, engine: engine, dtype: dtype.rawValue, seed: options.seed)
    record.verdict = verdict
    record.reason = reason
    return record
  }
}
