import Problems
import Tensors

extension ReLU {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    Perturbation(name: "gate dropped") { exercise, _ in
      var changed = exercise
      changed.operation = Identity.name
      return changed
    },
    .operand("shifted input") { Perturbation.rolled($0) },
  ])

  /// Mistakes that people make in ReLU.
  public static let mutants: Applicable<[Mutant]> = .some([
    asking("cotangents beyond ±2 cut off") { exercise in
      exercise.upstream.edit("y") { dy in dy = dy.map { min(max($0, -2), 2) } }
    },
    .quietNaN(in: name),
    gradient("gradient passes at 0") { dx, x, dy in x == 0 ? dy : dx },
    gradient("half the gradient at 0") { dx, x, dy in x == 0 ? dy / 2 : dx },
    gradient("mask from the cotangent") { _, _, dy in dy > 0 ? dy : 0 },
    answering("slope of 1/1000 below 0") { answer, exercise in
      guard let x = exercise.inputs["x"]?.doubles.elements else { return }
      answer.outputs.edit("y") { y in
        for i in y.elements.indices where x[i] < 0 && x[i].isFinite { y.elements[i] = x[i] / 1000 }
      }
    },
    answering("denormals become 0") { answer, exercise in
      let least = exercise.dtype == .float32 ? Double(Float.leastNormalMagnitude) : .leastNormalMagnitude
      answer.outputs.edit("y") { $0 = $0.map { abs($0) < least ? 0 : $0 } }
    },
  ])

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .reluAndPooling, [Self.name], change)
  }

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .reluAndPooling, [Self.name], change) }

  /// dx recomputed element by element from x and dy.
  private static func gradient(
    _ name: String, _ rule: @escaping @Sendable (_ dx: Double, _ x: Double, _ dy: Double) -> Double
  ) -> Mutant {
    answering(name) { answer, exercise in
      guard let x = exercise.inputs["x"]?.doubles.elements, let dy = exercise.upstream["y"]?.doubles.elements else {
        return
      }
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices { dx.elements[i] = rule(dx.elements[i], x[i], dy[i]) }
      }
    }
  }
}
