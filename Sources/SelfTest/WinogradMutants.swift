import Convolution
import Engines
import Problems
import Tensors

/// Mistakes that people make in Winograd convolutions.
enum WinogradMutants {
  private static let operation = ["conv2d"]

  static let all: [Mutant] = transforms + tiles + gradients

  /// A change of the weight gradient of the correct engine of its name, whose bound is wider than a direct sum's.
  private static func gradient(
    _ name: String, outputTile: Int, _ change: @escaping @Sendable (inout Tensor<Double>) -> Void
  ) -> Mutant? {
    BuiltInEngines.named("winograd\(outputTile)").map { engine in
      Mutant(name, .winograd, operation, of: engine) {
        { (exercise, correct) throws(EngineError) in
          var answer = try correct(exercise)
          answer.gradients.edit("weight", change)
          return answer
        }
      }
    }
  }

  private static let gradients: [Mutant] = [
    gradient("dW of F(4×4) kept in eleven bits", outputTile: 4) { $0 = $0.rounded(toBits: 11) },
    gradient("an element of dW of F(4×4) wrong by 1/2000", outputTile: 4) { dw in
      if dw.count > 0 { dw.elements[dw.count / 3] *= 1 + 0x1p-11 }
    },
  ].compactMap { $0 }

  /// A correct Winograd engine with an entry of its filter transform replaced. (A factor on a row of G is the same factor on
  /// a column of Aᵀ: both scale one point.)
  private static func transform(
    _ name: String, outputTile: Int, _ change: (_ row: Int, _ column: Int, _ value: Rational) -> Rational
  ) -> Mutant? {
    guard let matrices = WinogradMatrices.chosen(outputTile: outputTile) else { return nil }
    let wrong = matrices.weightTransform.enumerated().map { row, entries in
      entries.enumerated().map { column, value in change(row, column, value) }
    }
    let engine = ConvolutionEngine(
      WinogradStrategy(matrices: matrices.replacing(weightTransform: wrong)), algorithms: ["winograd\(outputTile)"])
    return Mutant(name, .winograd, operation, of: engine) {
      { (exercise, correct) throws(EngineError) in try correct(exercise) }
    }
  }

  private static let transforms: [Mutant] = [
    transform("a quarter for a half in G of F(2×2)", outputTile: 2) { row, column, value in
      row == 1 && column == 1 ? value * Rational(1, 2) : value
    },
    transform("a sign in Aᵀ of F(2×2)", outputTile: 2) { row, _, value in row == 2 ? Rational(0) - value : value },
    transform("a sign in Aᵀ of F(4×4)", outputTile: 4) { row, _, value in row == 3 ? Rational(0) - value : value },
    transform("an entry of G of F(4×4) off by 1/1000", outputTile: 4) { row, column, value in
      row == 2 && column == 2 ? value * Rational(1001, 1000) : value
    },
    transform("an entry of G of F(6×6) off by 1/1000", outputTile: 6) { row, column, value in
      row == 4 && column == 1 ? value * Rational(1001, 1000) : value
    },
  ].compactMap { $0 }

  private static func suits(_ exercise: Exercise) -> Bool {
    guard let weight = exercise.parameters["weight"]?.shape, weight.rank == 4 else { return false }
    return weight[2] == 3 && weight[3] == 3 && exercise.pair("stride", default: 1) == 1
  }

  private static let tiles: [Mutant] = [
    .answering("rows beyond the last whole tile not written", .winograd, operation) { answer, exercise in
      guard suits(exercise) else { return }
      answer.outputs.edit("y") { y in y = y.indexed { $0[2] >= y.shape[2] / 4 * 4 ? 0 : $1 } }
    },
    .answering("columns beyond the last whole tile repeated", .winograd, operation) { answer, exercise in
      guard suits(exercise) else { return }
      answer.outputs.edit("y") { y in
        let whole = y.shape[3] / 2 * 2
        guard whole > 0 else { return }
        y = y.gathered { [$0[0], $0[1], $0[2], min($0[3], whole - 1)] }
      }
    },
    .stateless("used at stride 2", .winograd, operation) { (exercise, correct) throws(EngineError) in
      guard let weight = exercise.parameters["weight"]?.shape, weight.rank == 4, weight[2] == 3, weight[3] == 3,
        exercise.pair("stride", default: 1) == 2, let shape = try correct(exercise).outputs["y"]?.shape
      else { return try correct(exercise) }
      var answer = try correct(exercise)
      var dense = exercise
      dense.attributes["stride"] = .integer(1)
      dense.passes = [.forward]
      dense.upstream = [:]
      let y = try correct(dense).outputs["y"]?.doubles
      if let y { answer.outputs.edit("y") { $0 = y.gathered(shape) { $0 } } }
      return answer
    },
    Mutant("filter transform kept from the call before", .winograd, operation) {
      let kept = Remembered<AnyTensor>()
      return { (exercise, correct) throws(EngineError) in
        guard suits(exercise), let weight = exercise.parameters["weight"] else { return try correct(exercise) }
        var changed = exercise
        // The same shape again is taken for the same weights.
        if let before = kept.exchange(weight), before.shape == weight.shape {
          changed.parameters["weight"] = before.converted(to: exercise.dtype)
        }
        return try correct(changed)
      }
    },
  ]
}
