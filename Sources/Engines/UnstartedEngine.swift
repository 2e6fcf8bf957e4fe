import Operations
import Problems

/// Stands for an engine that was asked for and could not be started, so that the others still run and its own cases are
/// counted: they are NOT RUN.
public struct UnstartedEngine: Engine {
  public let description: EngineDescription
  /// Why, with the engine's name.
  public let reason: String

  public init(name: String, reason: String) {
    description = EngineDescription(name: name, version: "unknown", operations: OperationRegistry.names)
    self.reason = reason
  }

  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer { throw .failed(reason) }

  public func prepare(
    _ exercise: Exercise, for timing: TimingRequest
  ) throws(EngineError) -> any PreparedOperation { throw .failed(reason) }
}
