/// A name compared by its bytes, as HDF5 does. Swift's strings are equal by Unicode's canonical equivalence: two names that
/// look alike and are not the same would become one key of a dictionary, and one of them would be lost.
public struct ByteName: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ name: String) { description = name }

  public static func == (left: Self, right: Self) -> Bool { left.description.utf8.elementsEqual(right.description.utf8) }

  public static func < (left: Self, right: Self) -> Bool {
    left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    for byte in description.utf8 { hasher.combine(byte) }
    hasher.combine(description.utf8.count)
  }
}
