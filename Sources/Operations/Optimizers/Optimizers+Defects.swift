import Engines
import Problems
import Tensors

/// Mistakes that people make in optimisers.
enum OptimiserMutants {
  private static let adam = ["adam_step", "adamw_step"]

  static let all: [Mutant] = adaptive + decay + momentum

  private static func asking(
    _ name: String, _ operations: [String], _ change: @escaping @Sendable (inout Exercise) -> Void
  ) -> Mutant { .asking(name, .optimisers, operations, change) }

  private static func real(_ exercise: Exercise, _ name: String, _ value: Double) -> Double {
    (try? exercise.attributes.real(name, default: value)) ?? value
  }

  private static func firstStep(_ exercise: Exercise) -> Int {
    (try? exercise.attributes.integer("first_step", default: 1)) ?? 1
  }

  private static func betas(_ exercise: Exercise) -> (Double, Double) {
    (try? exercise.attributes.realPair("betas", default: (0.9, 0.999))) ?? (0.9, 0.999)
  }

  private static let adaptive: [Mutant] = [
    // After 10⁹ steps both corrections are 1.
    asking("no bias correction", adam) { $0.attributes["first_step"] = .integer(1_000_000_000) },
    asking("steps counted one late", adam) { $0.attributes["first_step"] = .integer(firstStep($0) + 1) },
    asking("eps added before the bias correction", adam) { exercise in
      let correction = 1 - OptimiserMutants.power(betas(exercise).1, firstStep(exercise))
      exercise.attributes["eps"] = .real(real(exercise, "eps", 1e-8) / correction.squareRoot())
    },
    asking("eps under the root", adam) { exercise in
      // √(0 + ε): what a zero gradient divides by.
      exercise.attributes["eps"] = .real(real(exercise, "eps", 1e-8).squareRoot())
    },
    asking("eps missing in Adam", adam) { $0.attributes["eps"] = .real(0) },
    asking("betas exchanged", adam) { exercise in
      let (first, second) = betas(exercise)
      exercise.attributes["betas"] = .reals([second, first])
    },
    asking("amsgrad ignored", adam) { $0.attributes["amsgrad"] = .boolean(false) },
  ]

  private static func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<max(exponent, 0)).reduce(1) { product, _ in product * base }
  }

  private static let decay: [Mutant] = [
    asking("decay decoupled where it is coupled", ["adam_step"]) { exercise in
      exercise.attributes["weight_decay"] = .real(real(exercise, "weight_decay", 0))
      exercise.operation = "adamw_step"
    },
    asking("decay coupled where it is decoupled", ["adamw_step"]) { exercise in
      exercise.attributes["weight_decay"] = .real(real(exercise, "weight_decay", 0.01))
      exercise.operation = "adam_step"
    },
    asking("weight decay ignored", ["sgd_step"] + adam) { $0.attributes["weight_decay"] = .real(0) },
  ]

  private static let momentum: [Mutant] = [
    asking("Nesterov ignored", ["sgd_step"]) { $0.attributes["nesterov"] = .boolean(false) },
    asking("dampening on the first step too", ["sgd_step"]) { exercise in
      let dampening = real(exercise, "dampening", 0)
      guard real(exercise, "momentum", 0) != 0, dampening != 0, let p = exercise.parameters["p"]?.shape else { return }
      exercise.inputs.edit("gradients") { gradients in
        for i in 0..<min(p.count, gradients.count) { gradients.elements[i] *= 1 - dampening }
      }
    },
    asking("dampening ignored", ["sgd_step"]) { $0.attributes["dampening"] = .real(0) },
    asking("momentum buffer forgotten", ["sgd_step"]) { exercise in
      exercise.attributes["momentum"] = .real(0)
      exercise.attributes["nesterov"] = .boolean(false)
    },
    asking("learning rate off by 1/10⁵", ["sgd_step"] + adam) { exercise in
      let isSGD = exercise.operation == "sgd_step"
      exercise.attributes["lr"] = .real(real(exercise, "lr", isSGD ? 0 : 1e-3) * (1 + 1e-5))
    },
  ]
}
