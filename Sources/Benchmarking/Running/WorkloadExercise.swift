import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors
import Verification

/// The operands of a workload, and the check that every contestant passes on them before it is timed.
package struct WorkloadExercise: Sendable {
  /// In the type that is timed.
  package let exercise: Exercise
  /// The same in float32, from which every type's operands are rounded.
  package let single: Exercise
  private let expected: Set<String>
  /// What of a whole result is held against the reference before anything is timed; `nil`: all of it.
  private let window: NetworkWindow?

  package init(_ item: BenchmarkPlan.Item, seed: UInt64) {
    let made: Exercise
    switch item.subject {
    case .convolution(let problem):
      made = Self.convolution(problem, item, seed)
      window = nil
    case .operation(let timed):
      made = timed.exercise(item.pass, threads: item.threads, seed: seed)
      window = nil
    case .training(let network):
      made = Self.training(network, item, seed)
      window = nil
    case .network(let problem):
      made = Self.network(problem, item, seed)
      window = NetworkWindow(problem: problem, image: Int(seed % UInt64(max(problem.inputShape[0], 1))))
    }
    var single = made
    // What is learnt or kept stays float32 where the rest has 16 bits.
    single.singles = (try? OperationRegistry.operation(of: single))??.staysSingle ?? []
    self.single = single
    expected = single.wanted
    exercise = single.converted(to: item.dtype)
  }

  private static func fill(_ shape: Shape, _ seed: UInt64) -> AnyTensor {
    .float32(Tensor(splitMix64Uniform: shape, seed: seed, low: -1, high: 1))
  }

  private static func convolution(
    _ problem: Conv2dProblem, _ item: BenchmarkPlan.Item, _ seed: UInt64
  ) -> Exercise {
    let isBackward = item.pass.gradientOperand != nil
    var parameters = ["weight": fill(problem.weightShape, seed &+ 2)]
    if problem.hasBias { parameters["bias"] = fill([problem.outputChannels], seed &+ 3) }
    return Exercise(
      name: "/" + problem.text, operation: Conv2dProblem.operation, attributes: problem.attributes,
      inputs: ["x": fill(problem.inputShape, seed &+ 1)], parameters: parameters,
      upstream: isBackward ? ["y": fill(problem.outputShape, seed &+ 4)] : [:], dtype: .float32,
      passes: isBackward ? [.forward, .backward] : [.forward], wanted: Set(item.pass.results(of: problem).keys),
      threads: item.threads)
  }

  /// Weights as a network is initialised with them, and running statistics near those of a normalised input: what they are
  /// decides no time.
  private static func network(
    _ problem: ResNetProblem, _ item: BenchmarkPlan.Item, _ seed: UInt64
  ) -> Exercise {
    let state = Initialization(seed: seed &+ 2).state(of: problem.plan, as: Float.self)
    let tensors = state.stateDict { .float32($0) }
    let buffers = Set(problem.operands.buffers.keys)
    return Exercise(
      name: "/" + problem.text, operation: ResNetProblem.operation, attributes: problem.attributes,
      inputs: ["x": fill(problem.inputShape, seed &+ 1)], parameters: tensors.filter { !buffers.contains($0.key) },
      buffers: tensors.filter { buffers.contains($0.key) }, dtype: .float32, passes: [.forward],
      wanted: Set(item.pass.results(of: problem).keys), threads: item.threads)
  }

  /// The same initial values for a network that is trained; its images and labels come later.
  private static func training(
    _ trained: TrainedNetwork, _ item: BenchmarkPlan.Item, _ seed: UInt64
  ) -> Exercise {
    var exercise = network(trained.problem, item, seed)
    exercise.attributes = trained.attributes
    exercise.inputs["target"] = .int64(Tensor(shape: [trained.batch], repeating: 0))
    exercise.passes = [.forward, .backward]
    return exercise
  }

  /// What every contestant is held against before it is timed.
  /// - Throws: ``EngineError`` of the reference.
  func verifier() throws(EngineError) -> CaseVerifier {
    guard let window else { return try verifier(of: single) }
    let part: Exercise
    do throws(ProblemError) { part = try window.exercise(of: single) } catch { throw EngineError(error) }
    return try verifier(of: part, isPart: true)
  }

  /// The contestant as that verifier is to ask it: for the whole workload, of which it sees its part.
  func asked(_ engine: any Engine) -> any Engine {
    window.map { PartialEngine(engine: engine, whole: single, window: $0) } ?? engine
  }

  /// The part of a whole answer that the verifier expects.
  func part(of answer: Answer) -> Answer { window?.part(of: answer) ?? answer }

  /// The case of an exercise of these or other operands, or of a part of the problem, whose expected value is the reference's in
  /// double precision.
  /// - Throws: ``EngineError`` of the reference.
  func verifier(of exercise: Exercise, isPart: Bool = false) throws(EngineError) -> CaseVerifier {
    let answer = try ReferenceEngine().compute(exercise.converted(to: .float64))
    var kept = Answer()
    for path in expected { kept[path] = answer[path] }
    let golden = GoldenCase(exercise, fill: .random, expected: kept)
    return CaseVerifier(VerificationCase(file: "benchmark", oracle: .float64, golden: golden, isPart: isPart))
  }
}

/// Computes a whole workload, of which it is asked a part, and gives that part of the answer.
private struct PartialEngine: Engine {
  let engine: any Engine
  let whole: Exercise
  let window: NetworkWindow

  var description: EngineDescription { engine.description }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    window.part(of: try engine.compute(window.completed(exercise, by: whole)))
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    try engine.prepare(exercise, for: timing)
  }
}
