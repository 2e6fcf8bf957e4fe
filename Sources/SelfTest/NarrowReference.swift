import Engines
import Problems
import Tensors

/// A correct engine of 16 bits: the reference in float32 on the operands as they are, each result rounded once.
public struct NarrowReference: Engine {
  private let base = ReferenceEngine()

  public init() {}

  public var description: EngineDescription {
    var description = base.description
    description.name = "reference in float32, results in 16 bits"
    description.dtypes = Set(DType.narrow)
    return description
  }

  /// In float32 the results as they are before they are rounded.
  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    guard exercise.dtype.isNarrow else { return try base.compute(exercise) }
    return try base.compute(exercise.converted(to: .float32)).stored(as: exercise)
  }

  public func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("it is there to be judged")
  }
}
