import Engines
import Problems
import Tensors
import Verification

/// What rounding may do to each element of an operation's gradients: the very bounds that `assay verify` holds gradients
/// against, by operation, precision and declared algorithms, so that the two commands cannot disagree about an engine.
struct BackwardBounds: Sendable {
  let problem: any OperationProblem
  /// The operands' names and groups; its values are replaced by those asked about.
  let exercise: Exercise
  /// How the engine under test computes convolutions; any of them may have been used.
  let algorithms: Set<String>
  let rounding: Rounding

  /// - Parameter exercise: the operation with all its operands, in any precision.
  /// - Returns: `nil` in a precision that does not round.
  init?(_ problem: any OperationProblem, exercise: Exercise, algorithms: Set<String>, precision: DType) {
    guard let rounding = Rounding(precision) else { return nil }
    self.problem = problem
    self.exercise = exercise
    self.algorithms = algorithms
    self.rounding = rounding
  }

  /// - Returns: bounds by operand; those that the operation has none for are missing.
  func bounds(_ operands: NamedTensors, _ upstream: NamedTensors, of checked: [String]) -> [String: ElementBounds] {
    var exact = exercise
    exact.dtype = .float64
    let asked = exact.asking(for: operands, upstream: upstream, checked: checked)
    guard let model = BoundModels.make(for: asked, problem: problem, wanted: asked.wanted, algorithms: algorithms)
    else { return [:] }
    var bounds: [String: ElementBounds] = [:]
    for name in checked { bounds[name] = model.bounds(of: "gradients/\(name)", in: rounding) }
    return bounds
  }
}
