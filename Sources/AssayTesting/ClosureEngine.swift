import Engines
import Tensors

/// A closure as an engine: whatever it throws is an error of the case.
struct ClosureEngine: Engine {
  let description: EngineDescription
  private let body: @Sendable (Exercise) throws -> Answer

  /// - Parameter usesThreads: whether the closure sees how many it is given.
  init(
    dtypes: Set<DType>, passes: Set<Pass>, usesThreads: Bool = true,
    body: @escaping @Sendable (Exercise) throws -> Answer
  ) {
    description = EngineDescription(
      name: "closure", version: "1", dtypes: dtypes, passes: passes, usesThreads: usesThreads)
    self.body = body
  }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    do { return try body(exercise) } catch let error as EngineError { throw error } catch {
      throw .failed("\(error)")
    }
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("a closure is verified, not timed")
  }
}
