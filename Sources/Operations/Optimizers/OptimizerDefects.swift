import Problems
import Tensors

/// Mistakes that people make in optimisers, for the one of them that is named.
struct OptimizerDefects {
  let operation: String

  static let perturbations: [Perturbation] = [
    .operand("shifted gradients", "gradients") { Perturbation.rolled($0) }
  ]

  func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .optimisers, [operation], change)
  }

  static func real(_ exercise: Exercise, _ name: String, _ value: Double) -> Double {
    (try? exercise.attributes.real(name, default: value)) ?? value
  }

  /// In every optimiser.
  /// - Parameter learningRate: the one that holds where none is given.
  func common(learningRate: Double) -> [Mutant] {
    [
      asking("weight decay ignored") { $0.attributes["weight_decay"] = .real(0) },
      asking("learning rate off by 1/10⁵") { exercise in
        exercise.attributes["lr"] = .real(Self.real(exercise, "lr", learningRate) * (1 + 1e-5))
      },
    ]
  }

  /// The weight decay of one optimiser taken for that of another.
  /// - Parameter weightDecay: the one that holds where none is given.
  func mistaken(_ name: String, for other: String, weightDecay: Double) -> Mutant {
    asking(name) { exercise in
      exercise.attributes["weight_decay"] = .real(Self.real(exercise, "weight_decay", weightDecay))
      exercise.operation = other
    }
  }
}

// MARK: Adaptive moments

extension OptimizerDefects {
  private static func firstStep(_ exercise: Exercise) -> Int {
    (try? exercise.attributes.integer("first_step", default: 1)) ?? 1
  }

  private static func betas(_ exercise: Exercise) -> (Double, Double) {
    (try? exercise.attributes.realPair("betas", default: (0.9, 0.999))) ?? (0.9, 0.999)
  }

  private static func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<max(exponent, 0)).reduce(1) { product, _ in product * base }
  }

  var adaptive: [Mutant] {
    [
      // After 10⁹ steps both corrections are 1.
      asking("no bias correction") { $0.attributes["first_step"] = .integer(1_000_000_000) },
      asking("steps counted one late") { $0.attributes["first_step"] = .integer(Self.firstStep($0) + 1) },
      asking("eps added before the bias correction") { exercise in
        let correction = 1 - Self.power(Self.betas(exercise).1, Self.firstStep(exercise))
        exercise.attributes["eps"] = .real(Self.real(exercise, "eps", 1e-8) / correction.squareRoot())
      },
      asking("eps under the root") { exercise in
        // √(0 + ε): what a zero gradient divides by.
        exercise.attributes["eps"] = .real(Self.real(exercise, "eps", 1e-8).squareRoot())
      },
      asking("eps missing in Adam") { $0.attributes["eps"] = .real(0) },
      asking("betas exchanged") { exercise in
        let (first, second) = Self.betas(exercise)
        exercise.attributes["betas"] = .reals([second, first])
      },
      asking("amsgrad ignored") { $0.attributes["amsgrad"] = .boolean(false) },
    ] + common(learningRate: 1e-3)
  }
}
