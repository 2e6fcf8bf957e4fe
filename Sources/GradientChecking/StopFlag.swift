import Results
import Synchronization

/// Asks a check that is under way to end: looked at before every evaluation, on whatever thread that is made, since a
/// task's cancellation is seen on the task's own thread alone.
public final class StopFlag: Sendable {
  private let isRaised = Atomic<Bool>(false)

  public init() {}

  public func raise() { isRaised.store(true, ordering: .relaxed) }

  /// - Throws: ``GradientCheckError/stopped`` once the flag is raised.
  func check() throws(GradientCheckError) {
    if isRaised.load(ordering: .relaxed) { throw .stopped }
  }
}

extension GradientRecord {
  /// Cut short by a `StopFlag`: it says nothing of the gradients.
  public var wasStopped: Bool { reason == GradientCheckError.stopped.description && verdict == .inconclusive }
}
