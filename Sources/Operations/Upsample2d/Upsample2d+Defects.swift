import Problems
import Tensors

extension Upsample2d {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("shifted input") { Perturbation.rolled($0) }
  ])

  /// Mistakes that people make in resizing.
  public static let mutants: Applicable<[Mutant]> = .some([
    asking("align_corners inverted") { exercise in
      guard exercise.attributes["mode"] == .string("bilinear") else { return }
      let now = (try? exercise.attributes.boolean("align_corners", default: false)) ?? false
      exercise.attributes["align_corners"] = .boolean(!now)
    },
    stateless("an axis that keeps its size interpolated") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let x = exercise.inputs["x"]?.shape, let y = answer.outputs["y"]?.shape,
        let factors = try? exercise.attributes.realPair("scale_factor", default: nil)
      else { return answer }
      // With so many copies of its last row or column that the factor does enlarge it, the axis follows the formula.
      func extended(_ extent: Int, _ output: Int, _ factor: Double) -> Int {
        output == extent && factor > 1 ? max(extent, Int((1 / (factor - 1)).rounded(.up)) + 1) : extent
      }
      let (height, width) = (extended(x[2], y[2], factors.0), extended(x[3], y[3], factors.1))
      guard height > x[2] || width > x[3] else { return answer }
      var changed = exercise
      changed.passes = [.forward]
      changed.inputs.edit("x") { image in
        image = image.gathered([x[0], x[1], height, width]) {
          [$0[0], $0[1], min($0[2], x[2] - 1), min($0[3], x[3] - 1)]
        }
      }
      answer.outputs["y"] = try correct(changed).outputs["y"]
      answer.resize(y)
      return answer
    },
    asking("nearest in place of bilinear") { exercise in
      exercise.attributes["mode"] = .string("nearest")
      exercise.attributes["align_corners"] = nil
    },
    answering("gradient assigned where outputs share an input") { answer, exercise in
      guard let dy = exercise.upstream["y"]?.doubles, exercise.attributes["mode"] != .string("bilinear") else { return }
      let x = exercise.inputs["x"]?.shape ?? dy.shape
      answer.gradients.edit("x") { dx in
        dx = dx.gathered(x) { $0 }
        dx = dy.gathered(x) { index in
          [index[0], index[1], index[2] * dy.shape[2] / max(x[2], 1), index[3] * dy.shape[3] / max(x[3], 1)]
        }
      }
    },
  ])

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .reluAndPooling, [Self.name], change)
  }

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .reluAndPooling, [Self.name], change) }

  private static func stateless(_ name: String, _ defect: @escaping Mutant.Defect) -> Mutant {
    .stateless(name, .reluAndPooling, [Self.name], defect)
  }
}
