/// Operations whose every result is an input element or zero: relu, identity, dropout in evaluation, flatten.
public struct SelectionBounds: BoundModel {
  private let count: Int

  /// - Parameter count: elements of `x` and of `y`.
  public init(count: Int) { self.count = count }

  public func isExact(_ path: String) -> Bool { true }
  public func spread(of path: String) -> ErrorSpread? { nil }
  public func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    ["outputs/y", "gradients/x"].contains(path) ? .none(count: count) : nil
  }
}
