import Problems
import Tensors

extension AdaptiveAvgPool2d {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("shifted window") { Perturbation.rolled($0) },
    Perturbation(name: "dropped term", apply: Perturbation.greatestDropped),
  ])

  /// Mistakes that people make where windows are parts of the input.
  public static let mutants: Applicable<[Mutant]> = .some([
    stateless("adaptive windows end at the floor") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let x = exercise.inputs["x"]?.doubles, let size = answer.outputs["y"]?.shape else { return answer }
      func part(_ i: Int, _ input: Int, _ output: Int) -> Range<Int> {
        let start = i * input / output
        return start..<max((i + 1) * input / output, start + 1)
      }
      answer.outputs.edit("y") { y in
        y = y.indexed { index, value in
          let (rows, columns) = (part(index[2], x.shape[2], size[2]), part(index[3], x.shape[3], size[3]))
          // Only where the floor makes a difference; everything else stays as it was computed.
          let whole = (index[2] + 1) * x.shape[2] % size[2] == 0 && (index[3] + 1) * x.shape[3] % size[3] == 0
          if whole { return value }
          var sum = 0.0
          for h in rows {
            for w in columns {
              sum += x.elements[((index[0] * x.shape[1] + index[1]) * x.shape[2] + h) * x.shape[3] + w]
            }
          }
          return sum / Double(rows.count * columns.count)
        }
      }
      return answer
    },
    answering("global average not divided") { answer, exercise in
      guard let x = exercise.inputs["x"]?.shape, let y = answer.outputs["y"]?.shape, y[2] * y[3] == 1 else { return }
      answer.outputs.edit("y") { $0 = $0.map { $0 * Double(x[2] * x[3]) } }
    },
    .undividedGradient(in: name),
  ])

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { .answering(name, .reluAndPooling, [Self.name], change) }

  private static func stateless(_ name: String, _ defect: @escaping Mutant.Defect) -> Mutant {
    .stateless(name, .reluAndPooling, [Self.name], defect)
  }
}
