import Engines
import GoldenFiles
import Problems

extension RandomExercise {
  /// The exercise as a golden case whose expected values an oracle computes in float64.
  /// - Throws: ``EngineError`` when the oracle cannot compute it.
  public func goldenCase(oracle: any Engine, fill: Fill) throws(EngineError) -> GoldenCase {
    GoldenCase(exercise, fill: fill, expected: try oracle.compute(exercise.converted(to: .float64)))
  }
}
