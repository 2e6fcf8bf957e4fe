import Tensors

/// How many elements, bytes or steps: a number ≥ 0 that stays at its largest value where it would overflow, so that sizes
/// from outside can be multiplied first and compared with a limit afterwards.
public struct SaturatingCount: Hashable, Sendable {
  public let value: Int

  /// - Parameter value: negative numbers count as 0.
  public init(_ value: Int) { self.value = max(0, value) }

  public static let zero = SaturatingCount(0)
  public static let largest = SaturatingCount(.max)

  public static func + (left: Self, right: Self) -> Self {
    let (sum, overflow) = left.value.addingReportingOverflow(right.value)
    return overflow ? .largest : Self(sum)
  }

  public static func * (left: Self, right: Self) -> Self {
    let (product, overflow) = left.value.multipliedReportingOverflow(by: right.value)
    return overflow ? .largest : Self(product)
  }

  public static func += (left: inout Self, right: Self) { left = left + right }

  /// The product of all; 0 where any is 0, however large the others are.
  public static func product(_ factors: Int...) -> Self {
    factors.contains(0) ? .zero : factors.reduce(Self(1)) { $0 * Self($1) }
  }
}

extension SaturatingCount: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self.init(value) }
}

extension SaturatingCount: Comparable {
  public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

extension Sequence<SaturatingCount> {
  /// The sum, which saturates too.
  public func total() -> SaturatingCount { reduce(.zero, +) }
}

extension Shape {
  var elements: SaturatingCount { SaturatingCount(count) }
}
