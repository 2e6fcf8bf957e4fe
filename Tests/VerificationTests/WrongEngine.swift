import Engines
import GoldenFiles
import Operations
import Problems
import Tensors
import Verification

/// The reference with a defect: what it answers, or how, is changed.
struct WrongEngine: Engine {
  var description: EngineDescription
  var change: @Sendable (Exercise, inout Answer) throws -> Void

  init(
    isBuiltIn: Bool = false, omits: Set<String> = [], nonfinite: Bool = true, operations: Set<String> = [],
    passes: Set<Pass> = [.forward, .backward], dtypes: Set<DType> = [.float32, .float64],
    change: @escaping @Sendable (Exercise, inout Answer) throws -> Void = { _, _ in }
  ) {
    description = EngineDescription(
      name: "wrong", version: "1", operations: operations, dtypes: dtypes, passes: passes, omits: omits,
      nonfinite: nonfinite, isBuiltIn: isBuiltIn)
    self.change = change
  }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    var answer = try ReferenceEngine().compute(exercise)
    do { try change(exercise, &answer) } catch { throw .failed("\(error)") }
    return answer
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("never timed")
  }
}

/// The reference in float32, each result rounded once to 16 bits; float64 as the reference has it. What it answers may be changed.
struct NarrowEngine: Engine {
  var description = EngineDescription(name: "narrow", version: "1", dtypes: Set(DType.narrow), isBuiltIn: true)
  var change: @Sendable (inout Answer, Exercise) -> Void

  init(change: @escaping @Sendable (inout Answer, Exercise) -> Void = { _, _ in }) { self.change = change }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    guard exercise.dtype.isNarrow else { return try ReferenceEngine().compute(exercise) }
    var answer = try ReferenceEngine().compute(exercise.converted(to: .float32)).stored(as: exercise)
    change(&answer, exercise)
    return answer
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("never timed")
  }
}

/// Answers without looking at the exercise.
struct FixedEngine: Engine {
  var description = EngineDescription(name: "fixed", version: "1", isBuiltIn: true)
  var outcome: Result<Answer, EngineError>

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer { try outcome.get() }
  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("never timed")
  }
}

extension AnyTensor {
  /// A float32 tensor with its elements changed in place.
  func edited(_ change: (inout [Float]) -> Void) -> AnyTensor {
    guard case .float32(var tensor) = self else { return self }
    change(&tensor.elements)
    return .float32(tensor)
  }
}

extension RandomExercise {
  /// - Parameter text: the problem's text form.
  static func of(
    _ text: String, fill: Fill = .random, seed: UInt64 = 1, range: OperandDraw.Range = .unit
  ) throws(ProblemError) -> RandomExercise {
    let problem = try Problem.parse(text)
    return RandomExercise(problem: problem, roles: problem.definition.roles, fill: fill, seed: seed, range: range)
  }
}

extension VerificationCase {
  /// A problem with random operands and the reference's answers in float64.
  static func random(_ text: String, fill: Fill = .random, seed: UInt64 = 7) throws -> VerificationCase {
    let random = try RandomExercise.of(text, fill: fill, seed: seed)
    return VerificationCase(
      file: "test", oracle: .float64, golden: try random.goldenCase(oracle: ReferenceEngine(), fill: fill))
  }
}
