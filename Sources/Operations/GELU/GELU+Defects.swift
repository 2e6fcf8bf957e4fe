import Foundation
import Problems
import Tensors

extension GELU {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    Perturbation(name: "gate dropped") { exercise, _ in
      var changed = exercise
      changed.operation = Identity.name
      return changed
    },
    Perturbation(name: "the other form") { exercise, _ in
      var changed = exercise
      changed.attributes["approximate"] = .string((form(exercise) == .tanh ? Form.none : .tanh).rawValue)
      return changed
    },
    .operand("shifted input") { Perturbation.rolled($0) },
  ])

  /// Mistakes that people make in GELU.
  public static let mutants: Applicable<[Mutant]> = .some([
    .quietNaN(in: name),
    asking("tanh form where erf is asked") { $0.attributes["approximate"] = .string("tanh") },
    asking("erf form where tanh is asked") { $0.attributes["approximate"] = .string("none") },
    value("gelu of −∞ as 0") { y, x in x == -.infinity ? 0 : y },
    value("quick gelu") { y, x in x.isFinite ? x / (1 + exp(-1.702 * x)) : y },
    value("gelu without √2", in: [.none]) { y, x in x.isFinite ? 0.5 * x * erfc(-x) : y },
    value("gelu saturates beyond ±4") { y, x in x > 4 ? x : x < -4 ? 0 : y },
    value("gelu's gate in 8 bits") { y, x in x.isFinite && x != 0 ? x * (y / x).rounded(toBits: 8) : y },
    value("gelu overflows beyond the root of the largest number") { y, x in
      x.isFinite && x * x > Double(Float.greatestFiniteMagnitude) ? .nan : y
    },
    cubic("√(2/π) as 0.8") { 0.8 * ($0 + 0.044715 * $0 * $0 * $0) },
    cubic("0.044715 dropped") { root * $0 },
    cubic("0.044715 as 0.0447") { root * ($0 + 0.0447 * $0 * $0 * $0) },
    cubic("square for the cube") { root * ($0 + 0.044715 * $0 * $0) },
    cubic("0.044715 cubed with x") { root * ($0 + pow(0.044715 * $0, 3)) },
    slope("gelu's gradient without the density") { gate, _, _, _ in gate },
    slope("gelu's gradient of the density alone") { _, product, _, _ in product },
    slope("density not divided by √(2π)", in: [.none]) { gate, product, _, _ in gate + product * normalization },
    slope("density without x", in: [.none]) { gate, _, x, _ in gate + exp(-x * x / 2) / normalization },
    slope("cube's derivative without its 3", in: [.tanh]) { gate, product, x, _ in
      gate + product * (1 + 0.044715 * x * x) / (1 + 3 * 0.044715 * x * x)
    },
    slope("gelu's gradient saturates beyond ±4") { _, _, x, slope in x > 4 ? 1 : x < -4 ? 0 : slope },
    slope("gelu's gate in 8 bits in the gradient") { gate, product, _, _ in gate.rounded(toBits: 8) + product },
  ])

  private typealias Form = GELUProblem.Approximation

  private static let root = (2 / Double.pi).squareRoot()
  private static let normalization = (2 * Double.pi).squareRoot()

  private static func form(_ exercise: Exercise) -> Form {
    (try? exercise.attributes.choice("approximate", default: Form.none)) ?? Form.none
  }

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .reluAndPooling, [Self.name], change)
  }

  /// y recomputed element by element from itself and x, in the forms that the mistake can be made in.
  private static func value(
    _ name: String, in forms: [Form] = Form.allCases,
    _ rule: @escaping @Sendable (_ y: Double, _ x: Double) -> Double
  ) -> Mutant {
    .answering(name, .reluAndPooling, [Self.name]) { answer, exercise in
      guard forms.contains(form(exercise)), let x = exercise.inputs["x"]?.doubles.elements else { return }
      answer.outputs.edit("y") { y in
        for i in y.elements.indices { y.elements[i] = rule(y.elements[i], x[i]) }
      }
    }
  }

  /// The tanh form with another argument of tanh.
  private static func cubic(_ name: String, _ argument: @escaping @Sendable (_ x: Double) -> Double) -> Mutant {
    value(name, in: [.tanh]) { y, x in x.isFinite ? x * Logistic.value(2 * argument(x)) : y }
  }

  /// The derivative recomputed element by element, where x is finite, from its two parts, x and itself,
  /// in the forms that the mistake can be made in.
  private static func slope(
    _ name: String, in forms: [Form] = Form.allCases,
    _ rule: @escaping @Sendable (_ gate: Double, _ product: Double, _ x: Double, _ slope: Double) -> Double
  ) -> Mutant {
    .answering(name, .reluAndPooling, [Self.name]) { answer, exercise in
      guard forms.contains(form(exercise)), let x = exercise.inputs["x"]?.doubles.elements,
        let dy = exercise.upstream["y"]?.doubles.elements
      else { return }
      let isTanh = form(exercise) == .tanh
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices where x[i].isFinite {
          let gate = isTanh ? CubicGate.value(x[i]) : NormalGate.value(x[i])
          let product = isTanh ? CubicGate.product(x[i]) : NormalGate.product(x[i])
          dx.elements[i] = dy[i] * rule(gate, product, x[i], gate + product)
        }
      }
    }
  }
}
