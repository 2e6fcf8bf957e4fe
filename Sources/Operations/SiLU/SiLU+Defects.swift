import Foundation
import Problems
import Tensors

extension SiLU {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    Perturbation(name: "gate dropped") { exercise, _ in
      var changed = exercise
      changed.operation = Identity.name
      return changed
    },
    Perturbation(name: "hard gate") { exercise, _ in
      var changed = exercise
      changed.operation = ReLU.name
      return changed
    },
    .operand("shifted input") { Perturbation.rolled($0) },
  ])

  /// Mistakes that people make in SiLU.
  public static let mutants: Applicable<[Mutant]> = .some([
    .quietNaN(in: name),
    value("silu of −∞ as 0") { y, x in x == -.infinity ? 0 : y },
    value("silu with the gate of quick gelu") { y, x in x.isFinite ? x / (1 + exp(-1.702 * x)) : y },
    value("silu by a gate of three pieces") { y, x in x.isFinite ? x * min(max(x / 6 + 0.5, 0), 1) : y },
    value("silu saturates beyond ±8") { y, x in x > 8 ? x : x < -8 ? 0 : y },
    value("silu by eˣ/(1 + eˣ) everywhere") { y, x in exp(Float(x)) == .infinity ? .nan : y },
    value("silu's gate in 8 bits") { y, x in x.isFinite && x != 0 ? x * (y / x).rounded(toBits: 8) : y },
    slope("silu's gradient of the gate alone") { dx, gate, x, dy in dy * gate },
    slope("silu's gradient without the gate") { dx, gate, x, dy in dy * x * gate * (1 - gate) },
    slope("silu's gradient without x") { dx, gate, x, dy in dy * (gate + gate * (1 - gate)) },
    slope("silu's gradient with σ for σ′") { dx, gate, x, dy in dy * (gate + x * gate) },
    slope("silu's gradient saturates beyond ±8") { dx, gate, x, dy in x > 8 ? dy : x < -8 ? 0 : dx },
    slope("silu's gate in 8 bits in the gradient") { dx, gate, x, dy in
      let gate = gate.rounded(toBits: 8)
      return dy * gate * (1 + x * (1 - gate))
    },
  ])

  /// y recomputed element by element from itself and x.
  private static func value(
    _ name: String, _ rule: @escaping @Sendable (_ y: Double, _ x: Double) -> Double
  ) -> Mutant {
    .answering(name, .reluAndPooling, [Self.name]) { answer, exercise in
      guard let x = exercise.inputs["x"]?.doubles.elements else { return }
      answer.outputs.edit("y") { y in
        for i in y.elements.indices { y.elements[i] = rule(y.elements[i], x[i]) }
      }
    }
  }

  /// dx recomputed element by element, where x is finite, from itself, the gate, x and dy.
  private static func slope(
    _ name: String, _ rule: @escaping @Sendable (_ dx: Double, _ gate: Double, _ x: Double, _ dy: Double) -> Double
  ) -> Mutant {
    .answering(name, .reluAndPooling, [Self.name]) { answer, exercise in
      guard let x = exercise.inputs["x"]?.doubles.elements, let dy = exercise.upstream["y"]?.doubles.elements else {
        return
      }
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices where x[i].isFinite {
          dx.elements[i] = rule(dx.elements[i], Logistic.value(x[i]), x[i], dy[i])
        }
      }
    }
  }
}
