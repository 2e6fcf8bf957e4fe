import Convolution
import Engines
import Problems
import StrategyEngines

/// Mistakes that people make in the matrices of Winograd convolutions.
enum WinogradMutants {
  /// A correct Winograd engine with an entry of its filter transform replaced. (A factor on a row of G is the same factor on
  /// a column of Aᵀ: both scale one point.)
  private static func transform(
    _ name: String, outputTile: Int, _ change: (_ row: Int, _ column: Int, _ value: Rational) -> Rational
  ) -> Mutant? {
    guard let matrices = WinogradMatrices.chosen(outputTile: outputTile) else { return nil }
    let wrong = matrices.weightTransform.enumerated().map { row, entries in
      entries.enumerated().map { column, value in change(row, column, value) }
    }
    let algorithm = "winograd\(outputTile)"
    let engine = ConvolutionEngine(
      WinogradStrategy(matrices: matrices.replacing(weightTransform: wrong)), algorithms: [algorithm])
    // The wrong engine answers in place of the correct one of its name.
    return Mutant(name, .winograd, engine.description.operations.sorted(), of: algorithm) {
      { (exercise, _) throws(EngineError) in try engine.compute(exercise) }
    }
  }

  static let all: [Mutant] = [
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
}
