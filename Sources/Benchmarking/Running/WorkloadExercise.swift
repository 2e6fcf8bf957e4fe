import Engines
import GoldenFiles
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
  private let expectedPath: String

  package init(_ item: BenchmarkPlan.Item, seed: UInt64) {
    let problem = item.problem
    func fill(_ shape: Shape, _ stream: UInt64) -> AnyTensor {
      .float32(Tensor(splitMix64Uniform: shape, seed: seed &+ stream, low: -1, high: 1))
    }
    switch item.pass {
    case .backwardData: expectedPath = "gradients/x"
    case .backwardWeight: expectedPath = "gradients/weight"
    case .forward, .inference, .trainingStep: expectedPath = "outputs/y"
    }
    let isBackward = expectedPath != "outputs/y"
    var parameters = ["weight": fill(problem.weightShape, 2)]
    if problem.hasBias { parameters["bias"] = fill([problem.outputChannels], 3) }
    single = Exercise(
      name: "/" + problem.text, operation: Conv2dProblem.operation, attributes: problem.attributes,
      inputs: ["x": fill(problem.inputShape, 1)], parameters: parameters,
      upstream: isBackward ? ["y": fill(problem.outputShape, 4)] : [:], dtype: .float32,
      passes: isBackward ? [.forward, .backward] : [.forward], wanted: [expectedPath], threads: item.threads)
    exercise = single.converted(to: item.dtype)
  }

  /// The case whose expected value is the reference's, in double precision.
  /// - Throws: ``EngineError`` of the reference.
  func verifier() throws(EngineError) -> CaseVerifier { try verifier(of: single) }

  /// The same for an exercise of other operands, or of a part of the problem.
  /// - Throws: ``EngineError`` of the reference.
  func verifier(of exercise: Exercise, isPart: Bool = false) throws(EngineError) -> CaseVerifier {
    let answer = try ReferenceEngine().compute(exercise.converted(to: .float64))
    var golden = GoldenCase(exercise, fill: .random)
    if let y = answer.outputs["y"], expectedPath == "outputs/y" { golden.outputs["y"] = ExpectedTensor(y) }
    let name = String(expectedPath.dropFirst("gradients/".count))
    if let gradient = answer.gradients[name] { golden.gradients[name] = ExpectedTensor(gradient) }
    return CaseVerifier(VerificationCase(file: "benchmark", oracle: .float64, golden: golden, isPart: isPart))
  }
}
