import Problems
import Tensors

extension AvgPool2d {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("shifted window") { Perturbation.rolled($0) },
    Perturbation(name: "dropped term", apply: Perturbation.greatestDropped),
  ])

  /// Mistakes that people make in average pooling.
  public static let mutants: Applicable<[Mutant]> = .some([
    .summedInSixteenBits("windows summed in 16 bits", name, ["outputs/y"]),
    asking("divisor always the kernel's size") { exercise in
      let kernel = exercise.pair("kernel_size", default: 1)
      exercise.attributes["divisor_override"] = .integer(kernel.height * kernel.width)
    },
    toggled("count_include_pad inverted", "count_include_pad", default: true),
    asking("divisor_override ignored") { $0.attributes["divisor_override"] = nil },
    stateless("overhang of the last window counted") { (exercise, correct) throws(EngineError) in
      guard (try? exercise.attributes.boolean("ceil_mode", default: false)) == true,
        exercise.attributes["divisor_override"] == nil
      else { return try correct(exercise) }
      let kernel = exercise.pair("kernel_size", default: 1)
      var changed = exercise
      changed.attributes["divisor_override"] = .integer(kernel.height * kernel.width)
      return try correct(changed)
    },
    .ceilAsFloor(in: name), .undividedGradient(in: name),
  ])

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .reluAndPooling, [Self.name], change)
  }

  private static func stateless(_ name: String, _ defect: @escaping Mutant.Defect) -> Mutant {
    .stateless(name, .reluAndPooling, [Self.name], defect)
  }

  private static func toggled(_ name: String, _ attribute: String, default value: Bool) -> Mutant {
    asking(name) { exercise in
      let now = (try? exercise.attributes.boolean(attribute, default: value)) ?? value
      exercise.attributes[attribute] = .boolean(!now)
    }
  }
}
