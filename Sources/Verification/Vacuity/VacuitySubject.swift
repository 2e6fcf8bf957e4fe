import Engines
import GoldenFiles
import Operations
import Problems
import Tensors

/// What may be wrong unnoticed: the outputs together, or one gradient.
enum VacuityTarget: Hashable, Sendable {
  case outputs
  case gradient(String)

  /// As a defect's name says it.
  var suffix: String {
    switch self {
    case .outputs: ""
    case .gradient(let name): " in gradients/\(name)"
    }
  }
}

/// Operands with what is expected of them: a stored case, or random operands of the same problem with the oracle's answer.
struct VacuitySubject {
  private let exercise: Exercise
  private let definition: any Operation
  private let expected: [String: ExpectedTensor]
  private let rules: AllowanceRules
  /// Made when the first difference is to be judged.
  private lazy var model = definition.bounds(of: definition.given(exercise), values: nil, algorithms: [])

  /// A stored case under float32's bounds, the widest ones.
  /// - Returns: `nil` for an operation that is not the reference's.
  init?(_ item: VerificationCase) {
    let golden = item.golden
    let expected = golden.expected.filter { !$0.key.hasPrefix("buffers_after/") }
    var exercise = golden.exercise.converted(to: .float64)
    exercise.passes = golden.gradients.isEmpty ? [.forward] : [.forward, .backward]
    exercise.wanted = Set(expected.keys)
    if golden.gradients.isEmpty { exercise.upstream = [:] }
    self.init(
      exercise, expected,
      AllowanceRules(fill: golden.fill, candidate: .float32, oracle: item.oracle))
  }

  /// Random operands of the case's attributes and shapes.
  /// - Returns: `nil` where the oracle does not compute the problem.
  init?(randomLike item: VerificationCase, seed: UInt64, oracle: any Engine) {
    let golden = item.golden
    guard let definition = (try? OperationRegistry.operation(of: golden.exercise)) ?? nil else { return nil }
    var exercise = RandomExercise(
      problem: definition.problem, roles: definition.roles, fill: .random, seed: seed
    ).exercise.converted(to: .float64)
    if golden.gradients.isEmpty {
      exercise.upstream = [:]
      exercise.passes = [.forward]
    }
    exercise.wanted = Set(golden.expected.keys.filter { !$0.hasPrefix("buffers_after/") })
    guard let answer = try? oracle.compute(exercise) else { return nil }
    let expected = exercise.wanted.reduce(into: [:]) { $0[$1] = answer[$1].map { ExpectedTensor($0) } }
    self.init(exercise, expected, AllowanceRules(fill: .random, candidate: .float32, oracle: .float64))
  }

  private init?(_ exercise: Exercise, _ expected: [String: ExpectedTensor], _ rules: AllowanceRules) {
    guard let definition = (try? OperationRegistry.operation(of: exercise)) ?? nil else { return nil }
    self.exercise = exercise
    self.definition = definition
    self.expected = expected
    self.rules = rules
  }

  /// Those of the targets that the perturbation takes beyond their bounds.
  mutating func noticed(_ perturbation: Perturbation, in targets: Set<VacuityTarget>, oracle: any Engine) -> Set<
    VacuityTarget
  > {
    let ask: Perturbation.Oracle = { (exercise) throws(EngineError) in try oracle.compute(exercise) }
    guard let changed = perturbation.apply(exercise, ask), let answer = try? oracle.compute(changed) else {
      return []
    }
    var noticed: Set<VacuityTarget> = []
    for target in targets {
      let paths =
        switch target {
        case .outputs: expected.keys.filter { $0.hasPrefix("outputs/") }.sorted()
        case .gradient(let name): ["gradients/\(name)"]
        }
      for path in paths where !noticed.contains(target) && differs(answer, at: path) { noticed.insert(target) }
    }
    return noticed
  }

  private mutating func differs(_ answer: Answer, at path: String) -> Bool {
    guard let expected = expected[path], let tensor = answer[path], !expected.isWhole(tensor),
      let allowance = rules.allowance(for: path, expected: expected, model: model)
    else { return false }
    return !TensorComparison(path: path, expected: expected, allowance: allowance, dtype: .float64).compare(tensor)
      .passes
  }
}

extension ExpectedTensor {
  /// Whether it is this tensor, bit for bit but for the sign of zeros.
  fileprivate func isWhole(_ tensor: AnyTensor) -> Bool {
    if case .whole(let whole) = value { whole == tensor } else { false }
  }
}

extension GoldenCase {
  /// What of it can be judged: everything that is stored and not empty.
  var vacuityTargets: Set<VacuityTarget> {
    var targets = Set(gradients.filter { $0.value.shape.count > 0 }.map { VacuityTarget.gradient($0.key) })
    if outputs.values.contains(where: { $0.shape.count > 0 }) { targets.insert(.outputs) }
    return targets
  }

  /// Whether each operand that the target depends on is one value over and over.
  func isConstant(for target: VacuityTarget) -> Bool {
    let operands =
      switch target {
      case .outputs: Array(inputs.values) + Array(parameters.values)
      case .gradient: Array(upstream.values)
      }
    return operands.filter { $0.dtype != .int64 }.allSatisfy { tensor in
      let elements = tensor.doubles.elements
      return elements.allSatisfy { $0 == elements[0] }
    }
  }
}
