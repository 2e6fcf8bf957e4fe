import Problems
import Tensors

extension Perturbation {
  /// The greatest element that reaches an output takes the least one's value: windows may leave rows and columns out, and
  /// what no window holds is not a term.
  static func greatestDropped(_ exercise: Exercise, _ oracle: Oracle) -> Exercise? {
    var asked = exercise
    asked.passes = [.forward, .backward]
    asked.wanted = ["gradients/x"]
    guard let x = exercise.inputs["x"]?.floating(as: Double.self), let least = x.elements.min(),
      let problem = (try? exercise.problem()) ?? nil, let output = problem.outputs["y"]
    else { return nil }
    asked.upstream = ["y": .float64(Tensor(shape: output.shape, repeating: 1))]
    guard let reached = try? oracle(asked).gradients["x"]?.doubles.elements,
      let greatest = x.elements.indices.filter({ reached[$0] != 0 }).max(by: { x.elements[$0] < x.elements[$1] })
    else { return nil }
    var dropped = x
    dropped.elements[greatest] = least
    var changed = exercise
    changed.inputs["x"] = .float64(dropped)
    return changed
  }
}
