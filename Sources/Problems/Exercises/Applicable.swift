/// A part of an operation's definition that may not apply to it, and then says why.
public enum Applicable<Value> {
  case some(Value)
  case none(because: String)

  public var value: Value? { if case .some(let value) = self { value } else { nil } }
}

extension Applicable: Sendable where Value: Sendable {}
