import Synchronization

/// What a defect with memory remembers from call to call.
public final class Remembered<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)

  public init() {}

  /// Stores a value and returns the one before.
  public func exchange(_ new: Value?) -> Value? {
    value.withLock { old in
      defer { old = new }
      return old
    }
  }
}
